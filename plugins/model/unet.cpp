// SPDX-License-Identifier: Apache-2.0
#include "pretrained.h"

namespace {

using torch::nn::BatchNorm2d;
using torch::nn::Conv2d;
using torch::nn::Conv2dOptions;
using torch::nn::ConvTranspose2d;

/// Two convolutions of 3 x 3, each with batch norm and ReLU.
struct DoubleImpl : torch::nn::Module {
  DoubleImpl(std::int64_t in, std::int64_t out)
      : conv1(register_module("conv1", layer(in, out))),
        bn1(register_module("bn1", BatchNorm2d(out))),
        conv2(register_module("conv2", layer(out, out))),
        bn2(register_module("bn2", BatchNorm2d(out))) {}

  at::Tensor forward(const at::Tensor& x) { return at::relu(bn2(conv2(at::relu(bn1(conv1(x)))))); }

  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;

 private:
  static Conv2d layer(std::int64_t in, std::int64_t out) {
    Conv2d conv(Conv2dOptions(in, out, 3).padding(1).bias(false));
    torch::nn::init::kaiming_normal_(conv->weight, 0, torch::kFanIn, torch::kReLU);
    return conv;
  }
};
TORCH_MODULE(Double);

}  // namespace

/// U-Net (Ronneberger, Fischer, Brox 2015): halves the image `depth` times and doubles its
/// channels, goes back up, and at each size joins what it saw on the way down; scores for the
/// classes of each pixel. As is usual since, with batch norm, and padding where the paper's
/// convolutions shrink the image. An image whose sides 2^depth doesn't divide is continued by its
/// last row and column, and the scores are cut to its size.
struct UNet : paribus::NnModel {
  struct Params {
    int width = 64;
    int depth = 4;
    static constexpr auto fields() {
      return std::tuple{paribus::field("width", &Params::width,
                                       "channels at the image's own size; each next has twice")
                            .at_least(1)
                            .at_most(1024),
                        paribus::field("depth", &Params::depth, "how often the image is halved")
                            .at_least(1)
                            .at_most(8)};
    }
  } params;

  void build(const paribus::DataSpec& data) override {
    const auto& shape = paribus::models::image_shape("unet", data, std::int64_t{1} << params.depth);
    const paribus::Spec& target = data.targets.front();
    if (!target.type->is(paribus::kMask)) {
      throw paribus::Error("model/unet: the target is " + std::string(target.type->name) +
                           ", expected a mask, the class of each pixel; for one class for the "
                           "image take resnet18");
    }
    std::int64_t in = shape[0], out = params.width;
    for (int i = 0; i < params.depth; ++i, out *= 2) {
      downs.emplace_back(in, out);
      down->push_back(downs.back());
      in = out;
    }
    middle = register_module("middle", Double(in, out));
    for (int i = 0; i < params.depth; ++i, out /= 2) {
      ups.emplace_back(torch::nn::ConvTranspose2dOptions(out, out / 2, 2).stride(2));
      joins.emplace_back(out, out / 2);
      up->push_back(ups.back()), join->push_back(joins.back());
    }
    register_module("down", down);
    register_module("up", up);
    register_module("join", join);
    head = register_module("head", Conv2d(Conv2dOptions(out, data.classes, 1)));
  }

  at::Tensor forward(const at::Tensor& input) override {
    const std::int64_t unit = std::int64_t{1} << params.depth;
    const std::int64_t height = input.size(2), width = input.size(3);
    const std::int64_t below = (unit - height % unit) % unit, beside = (unit - width % unit) % unit;
    at::Tensor x = input;
    if (below + beside > 0) x = at::replication_pad2d(x, {0, beside, 0, below});
    std::vector<at::Tensor> seen;
    for (Double& step : downs) {
      seen.push_back(step(x));
      x = at::max_pool2d(seen.back(), 2);
    }
    x = middle(x);
    for (std::size_t i = 0; i < ups.size(); ++i) {
      x = joins[i](at::cat({seen.back(), ups[i](x)}, 1));
      seen.pop_back();
    }
    x = head(x);
    return below + beside > 0 ? x.narrow(2, 0, height).narrow(3, 0, width) : x;
  }

  torch::nn::ModuleList down, up, join;
  Double middle{nullptr};
  Conv2d head{nullptr};
  std::vector<Double> downs, joins;
  std::vector<ConvTranspose2d> ups;
};
PARIBUS_PART(UNet, "unet", "the class of each pixel, by what is around it (Ronneberger 2015)")
