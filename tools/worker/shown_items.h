// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "paribus/types.h"

namespace paribus::worker {

/// Inputs and targets of a batch as people look at them: images as bytes with the scale of the data
/// set's own values, masks as bytes, all else as numbers.
class ShownItems {
 public:
  /// `in`: what the data set offers; `out`: what its transforms make of it.
  ShownItems(const DataSpec& in, const DataSpec& out, bool come_as_bytes)
      : in_(in), out_(out), come_as_bytes_(come_as_bytes) {}

  /// `inputs`, `targets`, `items`, `class_names` and `stretched` (whether images had no known scale
  /// and were drawn from their least value to their greatest). Throws Error where they are too
  /// large to show.
  [[nodiscard]] nlohmann::json json_of(const Batch& batch) const;
  /// One tensor alone.
  [[nodiscard]] static nlohmann::json json_of(const Typed& typed);

 private:
  [[nodiscard]] at::Tensor with_own_scale(const at::Tensor& image) const;
  [[nodiscard]] nlohmann::json input_json(const Typed& input, bool& is_stretched) const;

  const DataSpec& in_;
  const DataSpec& out_;
  bool come_as_bytes_;
};

}  // namespace paribus::worker
