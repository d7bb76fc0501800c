// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "pretrained.h"

namespace paribus::models {

struct ResNetParams {
  int width = 64;
  double inner = 1;
  std::string_view stem = "imagenet";
  double drop_path = 0;
  bool zero_last = false;
  std::string_view pretrained;

  static constexpr auto fields() {
    return std::tuple{
        field("width", &ResNetParams::width, "channels of the first stage; each next has twice")
            .at_least(1)
            .at_most(4096),
        field("inner", &ResNetParams::inner,
              "how much wider bottlenecks are inside; 2 makes resnet50 wide_resnet50_2")
            .above(0)
            .at_most(64),
        field("stem", &ResNetParams::stem,
              "imagenet: 7 x 7 of stride 2 and pooling; cifar: 3 x 3 alone, for small images")
            .one_of("imagenet", "cifar"),
        field("drop_path", &ResNetParams::drop_path,
              "probability that the last block is left out in training, growing evenly from 0 "
              "(stochastic depth)")
            .at_least(0)
            .below(1)
            .live(),
        field("zero_last", &ResNetParams::zero_last,
              "blocks begin as identities: their last batch norm's factor is 0"),
        field("pretrained", &ResNetParams::pretrained,
              "safetensors file with torchvision's names to begin with; empty: none")};
  }
};

/// Two convolutions of 3 x 3, or a bottleneck: 1 x 1, 3 x 3 with the stride, 1 x 1 to four times
/// the channels; and what goes around them.
struct ResidualImpl : torch::nn::Module {
  struct Shape {
    std::int64_t in, middle, out, stride;
    bool bottleneck;
  };

  explicit ResidualImpl(const Shape& shape) {
    const std::int64_t first = shape.bottleneck ? 1 : 3;
    conv1 =
        convolution("conv1", shape.in, shape.middle, first, shape.bottleneck ? 1 : shape.stride);
    bn1 = register_module("bn1", torch::nn::BatchNorm2d(shape.middle));
    conv2 = convolution("conv2", shape.middle, shape.bottleneck ? shape.middle : shape.out, 3,
                        shape.bottleneck ? shape.stride : 1);
    bn2 =
        register_module("bn2", torch::nn::BatchNorm2d(shape.bottleneck ? shape.middle : shape.out));
    if (shape.bottleneck) {
      conv3 = convolution("conv3", shape.middle, shape.out, 1, 1);
      bn3 = register_module("bn3", torch::nn::BatchNorm2d(shape.out));
    }
    if (shape.stride == 1 && shape.in == shape.out) return;
    downsample = register_module(
        "downsample",
        torch::nn::Sequential(
            torch::nn::Conv2d(
                torch::nn::Conv2dOptions(shape.in, shape.out, 1).stride(shape.stride).bias(false)),
            torch::nn::BatchNorm2d(shape.out)));
  }

  at::Tensor forward(const at::Tensor& x, double drop) {
    at::Tensor y = bn2(conv2(at::relu(bn1(conv1(x)))));
    if (conv3) y = bn3(conv3(at::relu(y)));
    const at::Tensor around = downsample ? downsample->forward(x) : x;
    if (drop > 0 && is_training()) {  // an item's branch is there or not, the mean stays
      const at::Tensor there =
          at::rand({x.size(0), 1, 1, 1}, x.options().dtype(at::kFloat)).ge(drop);
      y = y * there.to(y.scalar_type()).div(1 - drop);
    }
    return at::relu(y + around);
  }

  [[nodiscard]] torch::nn::BatchNorm2d last() const { return conv3 ? bn3 : bn2; }

  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr}, conv3{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr}, bn2{nullptr}, bn3{nullptr};
  torch::nn::Sequential downsample{nullptr};

 private:
  torch::nn::Conv2d convolution(const std::string& name, std::int64_t in, std::int64_t out,
                                std::int64_t kernel, std::int64_t stride) {
    return register_module(name, torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel)
                                                       .stride(stride)
                                                       .padding(kernel / 2)
                                                       .bias(false)));
  }
};
TORCH_MODULE(Residual);

/// Deep residual network (He, Zhang, Ren, Sun 2015) with the stride in the 3 x 3 of bottlenecks,
/// with torchvision's names of weights and its initialisation. Four stages of so many blocks.
struct ResNet : NnModel {
  ResNet(std::string name, std::array<int, 4> blocks, bool bottleneck)
      : name_(std::move(name)), blocks_(blocks), bottleneck_(bottleneck) {}

  using Params = ResNetParams;
  Params params;

  void build(const DataSpec& data) override {
    const bool small = params.stem == "cifar";
    const auto& shape = image_shape(name_, data, small ? 8 : 32);
    if (!bottleneck_ && params.inner != 1) {
      throw Error("model/" + name_ + ": its blocks are no bottlenecks, got inner = " +
                  std::to_string(params.inner) + ", expected 1; for a wider network set width");
    }
    std::int64_t width = params.width;
    conv1 = register_module(
        "conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(shape[0], width, small ? 3 : 7)
                                       .stride(small ? 1 : 2)
                                       .padding(small ? 1 : 3)
                                       .bias(false)));
    bn1 = register_module("bn1", torch::nn::BatchNorm2d(width));
    for (std::size_t stage = 0; stage < 4; ++stage) width = add_stage(stage, width);
    fc = register_module("fc", torch::nn::Linear(width, outputs_for(data)));
    initialize();
    start_from(name_, params.pretrained, *this, "fc.");
  }

  at::Tensor forward(const at::Tensor& input) override { return scores_of(features_of(input)); }
  [[nodiscard]] at::Tensor features_of(const at::Tensor& input) override {
    at::Tensor x = at::relu(bn1(conv1(input)));
    if (params.stem != "cifar") x = at::max_pool2d(x, 3, 2, 1);
    const auto last = static_cast<double>(all_.size() - 1);
    for (std::size_t i = 0; i < all_.size(); ++i)
      x = all_[i]->forward(x, params.drop_path * static_cast<double>(i) / last);
    return x;
  }
  [[nodiscard]] at::Tensor scores_of(const at::Tensor& features) override {
    return fc(features.mean({2, 3}));
  }

  [[nodiscard]] std::vector<std::string> layer_groups() const override { return {"layer3", "fc"}; }

  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
  torch::nn::Linear fc{nullptr};

 private:
  std::int64_t add_stage(std::size_t stage, std::int64_t in) {
    const std::int64_t planes = static_cast<std::int64_t>(params.width) << stage;
    const std::int64_t out = bottleneck_ ? 4 * planes : planes;
    const std::int64_t middle =
        bottleneck_ ? std::max<std::int64_t>(
                          1, static_cast<std::int64_t>(static_cast<double>(planes) * params.inner))
                    : planes;
    torch::nn::ModuleList list;
    for (int block = 0; block < blocks_[stage]; ++block) {
      const std::int64_t stride = block == 0 && stage > 0 ? 2 : 1;
      all_.emplace_back(ResidualImpl::Shape{in, middle, out, stride, bottleneck_});
      list->push_back(all_.back());
      in = out;
    }
    register_module("layer" + std::to_string(stage + 1), list);
    return in;
  }

  void initialize() {
    for (const auto& module : modules(/*include_self=*/false)) {
      if (auto* conv = module->as<torch::nn::Conv2d>())
        torch::nn::init::kaiming_normal_(conv->weight, 0, torch::kFanOut, torch::kReLU);
    }
    if (!params.zero_last) return;
    for (const Residual& block : all_) torch::nn::init::zeros_(block->last()->weight);
  }

  std::string name_;
  std::array<int, 4> blocks_;
  bool bottleneck_;
  std::vector<Residual> all_;
};

}  // namespace paribus::models
