// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

#include "paribus/plugin.h"
#include "paribus/types.h"

namespace paribus {

/// A function with weights, without torch/nn: what trainer and callbacks see of it. Authors use
/// NnModel (model.h).
class Model : public PartBase {
 public:
  static constexpr std::string_view kKind = "model";

  /// Makes the layers for these inputs and targets. LibTorch's default generator is seeded for this
  /// trial before it. Throws Error where the data don't fit.
  virtual void build(const DataSpec& data) = 0;
  [[nodiscard]] virtual Outputs outputs(const Batch& batch) = 0;
  [[nodiscard]] virtual NamedTensors weights() = 0;  // with gradient, in order of registration
  [[nodiscard]] virtual NamedTensors buffers_by_name() = 0;  // running statistics and the like
  virtual void set_training(bool on) = 0;
  virtual void move_to(const at::Device& device, bool channels_last) = 0;
  [[nodiscard]] virtual bool has_convolutions() const { return false; }
  /// `outputs` in two halves, for who wants what lies between them (callback/grad_cam): the last
  /// feature map, N C H W, of the first input, and the scores, N K, that are made of it. Undefined:
  /// there is no such map.
  [[nodiscard]] virtual at::Tensor features_of(const at::Tensor& /*input*/) { return {}; }
  [[nodiscard]] virtual at::Tensor scores_of(const at::Tensor& /*features*/) { return {}; }
  /// Where each layer group but the first begins, by the name of a module or weight in `weights`,
  /// from the input to the head: {"layer3", "fc"}. Rates differ between layer groups, and they are
  /// frozen one by one. Without it the last module is a group, and all before it another.
  [[nodiscard]] virtual std::vector<std::string> layer_groups() const { return {}; }

  template <class T>
  static constexpr void describe(manifest_detail::Text& /*out*/, const T* /*part*/) {}
};

}  // namespace paribus
