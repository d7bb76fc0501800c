// SPDX-License-Identifier: Apache-2.0
#include <paribus/model.h>

/// Linear layers with an activation between them, over the flattened input.
struct Mlp : paribus::NnModel {
  struct Params {
    std::vector<std::int64_t> hidden{64};
    std::string_view act = "relu";
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("hidden", &Params::hidden, "width of each hidden layer")
              .at_least(1)
              .at_most(65536),
          paribus::field("act", &Params::act, "activation").one_of("relu", "gelu", "silu", "tanh")};
    }
  } params;

  void build(const paribus::DataSpec& data) override {
    std::int64_t width = paribus::elements(data.inputs.front().shape);
    std::vector<std::int64_t> widths = params.hidden;
    widths.push_back(data.classes > 0 ? data.classes
                                      : paribus::elements(data.targets.front().shape));
    for (const std::int64_t next : widths) {
      layers->push_back(torch::nn::Linear(width, next));
      width = next;
    }
    register_module("layers", layers);
  }

  at::Tensor forward(const at::Tensor& input) override {
    at::Tensor x = input.flatten(1);
    for (std::size_t i = 0; i < layers->size(); ++i) {
      if (i != 0) x = activated(x);
      x = layers[i]->as<torch::nn::Linear>()->forward(x);
    }
    return x;
  }

  torch::nn::ModuleList layers;

 private:
  [[nodiscard]] at::Tensor activated(const at::Tensor& x) const {
    if (params.act == "gelu") return at::gelu(x);
    if (params.act == "silu") return at::silu(x);
    return params.act == "tanh" ? at::tanh(x) : at::relu(x);
  }
};
PARIBUS_PART(Mlp, "mlp", "fully connected layers")
