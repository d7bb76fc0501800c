// SPDX-License-Identifier: Apache-2.0
#include <paribus/model.h>

/// One hidden layer between whatever comes in and the classes.
struct MyPart : paribus::NnModel {
  struct Params {
    std::int64_t width = 32;
    static constexpr auto fields() {
      return std::tuple{paribus::field("width", &Params::width, "units of the hidden layer")
                            .at_least(1)
                            .at_most(65536)};
    }
  } params;

  void build(const paribus::DataSpec& data) override {
    const std::int64_t inputs = paribus::elements(data.inputs[0].shape);
    hidden = register_module("hidden", torch::nn::Linear(inputs, params.width));
    scores = register_module("scores", torch::nn::Linear(params.width, data.classes));
  }
  at::Tensor forward(const at::Tensor& x) override {
    return scores(torch::relu(hidden(x.flatten(1))));
  }

  torch::nn::Linear hidden{nullptr}, scores{nullptr};
};
PARIBUS_PART(MyPart, "my_part", "one hidden layer")
