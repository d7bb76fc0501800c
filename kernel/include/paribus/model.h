// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/nn.h>

#include "paribus/model_base.h"

namespace paribus {

/// A model made of torch::nn modules: register them in `build`, use them in `forward`. The only
/// Paribus header that brings torch/nn; build such plugins with the precompiled header
/// (paribus_add_plugin does).
///
///     struct Linear : paribus::NnModel {
///       struct Params { static constexpr auto fields() { return paribus::no_fields(); } } params;
///       void build(const paribus::DataSpec& data) override {
///         fc = register_module("fc", torch::nn::Linear(paribus::elements(data.inputs[0].shape),
///         data.classes));
///       }
///       at::Tensor forward(const at::Tensor& x) override { return fc(x.flatten(1)); }
///       torch::nn::Linear fc{nullptr};
///     };
class NnModel : public Model, public torch::nn::Module {
 public:
  /// For models with one input and one output; override `outputs` instead for others.
  [[nodiscard]] virtual at::Tensor forward(const at::Tensor& input) = 0;
  [[nodiscard]] Outputs outputs(const Batch& batch) override { return forward(batch.input()); }

  [[nodiscard]] NamedTensors weights() final;
  [[nodiscard]] NamedTensors buffers_by_name() final;
  void set_training(bool on) final { torch::nn::Module::train(on); }
  void move_to(const at::Device& device, bool channels_last) final;
  [[nodiscard]] bool has_convolutions() const final;
};

/// The number of elements in a shape.
std::int64_t elements(const std::vector<std::int64_t>& shape);

}  // namespace paribus
