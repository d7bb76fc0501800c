// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "paribus/plugin.h"
#include "paribus/random.h"
#include "paribus/types.h"

namespace paribus {

/// Changes a batch between the data set and the model, on loader threads: crop, flip, normalize.
///
/// Each loader thread has its own instance, so live parameters may change from batch to batch.
/// Random draws come from `stream` and are addressed by item: `stream.item(batch.epoch,
/// batch.items[i])`. Tensors of a batch are the transform's own to change in place. On the CPU
/// write plain loops over the data or single ATen calls; never start threads.
class Transform : public PartBase {
 public:
  static constexpr std::string_view kKind = "transform";

  virtual void apply(Batch& batch, const Stream& stream) const = 0;
  /// What `apply` makes of shapes and types. Throws Error where the data don't fit (a crop larger
  /// than the image). `in.mean` and `in.std` are at hand here for transforms that need them; called
  /// once, before `apply`.
  virtual DataSpec setup(DataSpec in) { return in; }
  /// Random augmentation: skipped on the validation split.
  [[nodiscard]] virtual bool training_only() const { return false; }

  template <class T>
  static constexpr void describe(manifest_detail::Text& /*out*/, const T* /*part*/) {}
};

}  // namespace paribus
