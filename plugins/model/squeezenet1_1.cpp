// SPDX-License-Identifier: Apache-2.0
#include "pretrained.h"

namespace {

using torch::nn::Conv2d;
using torch::nn::Conv2dOptions;

/// Squeezes the channels, then expands them by 1 x 1 and 3 x 3 side by side.
struct FireImpl : torch::nn::Module {
  FireImpl(std::int64_t in, std::int64_t narrow, std::int64_t wide)
      : squeeze(register_module("squeeze", Conv2d(Conv2dOptions(in, narrow, 1)))),
        expand1x1(register_module("expand1x1", Conv2d(Conv2dOptions(narrow, wide, 1)))),
        expand3x3(register_module("expand3x3", Conv2d(Conv2dOptions(narrow, wide, 3).padding(1)))) {
  }
  at::Tensor forward(const at::Tensor& input) {
    const at::Tensor x = at::relu(squeeze(input));
    return at::cat({at::relu(expand1x1(x)), at::relu(expand3x3(x))}, 1);
  }
  Conv2d squeeze, expand1x1, expand3x3;
};
TORCH_MODULE(Fire);

/// Modules under the numbers that they have in torchvision's list.
struct NumberedImpl : torch::nn::Module {
  template <class M>
  M add(int number, M module) {
    return register_module(std::to_string(number), std::move(module));
  }
};
TORCH_MODULE(Numbered);

}  // namespace

/// SqueezeNet 1.1 (Iandola et al. 2016): ImageNet accuracy of AlexNet in 1.2 million weights, with
/// torchvision's names and initialisation. The classes are a convolution, so images may be of any
/// size.
struct SqueezeNet : paribus::NnModel {
  struct Params {
    double dropout = 0.5;
    std::string_view pretrained;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("dropout", &Params::dropout, "before the last convolution")
              .at_least(0)
              .below(1)
              .live(),
          paribus::field("pretrained", &Params::pretrained,
                         "safetensors file with torchvision's names to begin with; empty: none")};
    }
  } params;

  void build(const paribus::DataSpec& data) override {
    const auto& shape = paribus::models::image_shape("squeezenet1_1", data, 17);
    features = register_module("features", Numbered());
    first = features->add(0, Conv2d(Conv2dOptions(shape[0], 64, 3).stride(2)));
    std::int64_t in = 64;
    for (const auto& [number, narrow] : std::vector<std::pair<int, std::int64_t>>{
             {3, 16}, {4, 16}, {6, 32}, {7, 32}, {9, 48}, {10, 48}, {11, 64}, {12, 64}}) {
      fires.push_back(features->add(number, Fire(in, narrow, 4 * narrow)));
      in = 8 * narrow;
    }
    classifier = register_module("classifier", Numbered());
    last = classifier->add(1, Conv2d(Conv2dOptions(in, paribus::models::outputs_for(data), 1)));
    for (const auto& module : modules(/*include_self=*/false)) {
      auto* conv = module->as<Conv2d>();
      if (conv == nullptr) continue;
      torch::nn::init::zeros_(conv->bias);
      if (conv != last.get()) torch::nn::init::kaiming_uniform_(conv->weight);
    }
    torch::nn::init::normal_(last->weight, 0, 0.01);
    paribus::models::start_from("squeezenet1_1", params.pretrained, *this, "classifier.");
  }

  at::Tensor forward(const at::Tensor& input) override { return scores_of(features_of(input)); }
  [[nodiscard]] at::Tensor features_of(const at::Tensor& input) override {
    at::Tensor x = at::relu(first(input));
    for (std::size_t i = 0; i < fires.size(); ++i) {
      if (i == 0 || i == 2 || i == 4) x = at::max_pool2d(x, 3, 2, 0, 1, /*ceil_mode=*/true);
      x = fires[i](x);
    }
    return x;
  }
  [[nodiscard]] at::Tensor scores_of(const at::Tensor& map) override {
    return at::relu(last(at::dropout(map, params.dropout, is_training()))).mean({2, 3});
  }

  [[nodiscard]] std::vector<std::string> layer_groups() const override {
    return {"features.6", "classifier"};
  }

  Numbered features{nullptr}, classifier{nullptr};
  Conv2d first{nullptr}, last{nullptr};
  std::vector<Fire> fires;
};
PARIBUS_PART(SqueezeNet, "squeezenet1_1", "small network of squeezed convolutions (Iandola 2016)")
