// SPDX-License-Identifier: Apache-2.0
#include <paribus/model.h>

namespace {

/// Convolution 3 x 3, batch norm, relu, and max pooling by 2 where asked.
struct BlockImpl : torch::nn::Module {
  BlockImpl(std::int64_t in, std::int64_t out, bool pool_after)
      : conv(register_module(
            "conv",
            torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1).bias(false)))),
        norm(register_module("norm", torch::nn::BatchNorm2d(out))),
        pool(pool_after) {}
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = at::relu(norm(conv(x)));
    return pool ? at::max_pool2d(y, 2) : y;
  }
  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d norm;
  bool pool;
};
TORCH_MODULE(Block);

}  // namespace

/// David Page's residual network of nine layers (cifar10-fast, 2018): 94 % on CIFAR-10 in 24
/// epochs. Widths w, 2w, 4w, 8w, residual pairs in the first and third stage, global max pooling
/// (his 4 x 4 for 32 x 32), no bias, scaled scores.
struct ResNet9 : paribus::NnModel {
  struct Params {
    int width = 64;
    double logit_scale = 0.125;
    static constexpr auto fields() {
      return std::tuple{paribus::field("width", &Params::width, "channels of the first convolution")
                            .at_least(1)
                            .at_most(4096),
                        paribus::field("logit_scale", &Params::logit_scale, "factor of the scores")
                            .above(0)
                            .live()};
    }
  } params;

  void build(const paribus::DataSpec& data) override {
    const std::vector<std::int64_t>& shape = data.inputs.front().shape;
    if (!data.inputs.front().type->is(paribus::kImage) || shape.size() != 3 || shape[1] < 8 ||
        shape[2] < 8) {
      std::string got;
      for (const std::int64_t size : shape)
        got += (got.empty() ? "" : " x ") + std::to_string(size);
      throw paribus::Error(
          "model/resnet9: the input is " + std::string(data.inputs.front().type->name) + " of " +
          got + ", expected an image C H W of at least 8 x 8; for smaller ones take convnet");
    }
    const std::int64_t w = params.width;
    prep = register_module("prep", Block(shape[0], w, false));
    layer1 = register_module("layer1", Block(w, 2 * w, true));
    residual1a = register_module("residual1a", Block(2 * w, 2 * w, false));
    residual1b = register_module("residual1b", Block(2 * w, 2 * w, false));
    layer2 = register_module("layer2", Block(2 * w, 4 * w, true));
    layer3 = register_module("layer3", Block(4 * w, 8 * w, true));
    residual3a = register_module("residual3a", Block(8 * w, 8 * w, false));
    residual3b = register_module("residual3b", Block(8 * w, 8 * w, false));
    const std::int64_t out =
        data.classes > 0 ? data.classes : paribus::elements(data.targets.front().shape);
    head = register_module("head",
                           torch::nn::Linear(torch::nn::LinearOptions(8 * w, out).bias(false)));
  }

  at::Tensor forward(const at::Tensor& input) override { return scores_of(features_of(input)); }
  [[nodiscard]] at::Tensor features_of(const at::Tensor& input) override {
    at::Tensor x = layer1(prep(input));
    x = x + residual1b(residual1a(x));
    x = layer3(layer2(x));
    return x + residual3b(residual3a(x));
  }
  [[nodiscard]] at::Tensor scores_of(const at::Tensor& features) override {
    const std::int64_t height = features.size(2), width = features.size(3);
    return head(at::max_pool2d(features, {height, width}).flatten(1)) * params.logit_scale;
  }

  [[nodiscard]] std::vector<std::string> layer_groups() const override {
    return {"layer2", "head"};
  }

  Block prep{nullptr}, layer1{nullptr}, residual1a{nullptr}, residual1b{nullptr};
  Block layer2{nullptr}, layer3{nullptr}, residual3a{nullptr}, residual3b{nullptr};
  torch::nn::Linear head{nullptr};
};
PARIBUS_PART(ResNet9, "resnet9", "Page's nine-layer residual network for CIFAR-10")
