// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "paribus/plugin.h"
#include "paribus/types.h"

namespace paribus {

/// What training makes small. Returns the mean over the batch's items, a scalar with gradient,
/// fp32. Under autocast the outputs may be bf16; convert where precision matters. May throw Error
/// on a mismatch of shapes.
class Loss : public PartBase {
 public:
  static constexpr std::string_view kKind = "loss";

  [[nodiscard]] virtual at::Tensor operator()(const Outputs& outputs, const Batch& batch) const = 0;

  template <class T>
  static constexpr void describe(manifest_detail::Text& /*out*/, const T* /*part*/) {}
};

}  // namespace paribus
