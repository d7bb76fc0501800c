// SPDX-License-Identifier: Apache-2.0
#include <paribus/model.h>

/// One linear layer over everything.
struct Affine : paribus::NnModel {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  void build(const paribus::DataSpec& data) override {
    const std::int64_t inputs = paribus::elements(data.inputs[0].shape);
    layer = register_module("layer", torch::nn::Linear(inputs, data.classes));
  }
  at::Tensor forward(const at::Tensor& x) override { return layer(x.flatten(1)); }

  torch::nn::Linear layer{nullptr};
};
PARIBUS_PART(Affine, "affine", "one linear layer")
