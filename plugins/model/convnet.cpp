// SPDX-License-Identifier: Apache-2.0
#include <paribus/model.h>

/// Convolutions of stride 2, each with batch norm and activation, and a last one to the classes,
/// averaged over what is left of the image (a single pixel for up to 32 x 32 with the default
/// channels). After fastai's course22p2, 11_initializing; with norm = false, first_kernel = 5, init
/// = "default" it is fastbook's simple_cnn.
struct ConvNet : paribus::NnModel {
  struct Params {
    std::vector<std::int64_t> channels{8, 16, 32, 64};
    int kernel = 3;
    std::optional<int> first_kernel;
    bool norm = true;
    std::string_view act = "relu";
    std::string_view init = "kaiming";
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("channels", &Params::channels, "output channels of each convolution")
              .at_least(1)
              .at_most(65536),
          paribus::field("kernel", &Params::kernel, "height and width of the kernels")
              .at_least(1)
              .at_most(63),
          paribus::field("first_kernel", &Params::first_kernel,
                         "of the first one; not given: as the others")
              .at_least(1)
              .at_most(63),
          paribus::field("norm", &Params::norm, "batch norm after each convolution but the last"),
          paribus::field("act", &Params::act,
                         "activation; leaky has slope 0.1, general is leaky less 0.4 (miniai)")
              .one_of("relu", "leaky", "general", "gelu", "silu"),
          paribus::field("init", &Params::init, "of the convolutions; default is LibTorch's")
              .one_of("kaiming", "default")};
    }
  } params;

  void build(const paribus::DataSpec& data) override {
    const paribus::Spec& image = data.inputs.front();
    if (!image.type->is(paribus::kImage) || image.shape.size() != 3) {
      throw paribus::Error("model/convnet: the input is " + std::string(image.type->name) +
                           " with " + std::to_string(image.shape.size()) +
                           " dimensions, expected an image C H W; for rows take mlp");
    }
    std::int64_t width = image.shape[0];
    for (const std::int64_t next : params.channels) {
      const std::int64_t kernel =
          convs->is_empty() ? params.first_kernel.value_or(params.kernel) : params.kernel;
      convs->push_back(convolution(width, next, kernel, !params.norm));
      if (params.norm) norms->push_back(torch::nn::BatchNorm2d(next));
      width = next;
    }
    const std::int64_t out =
        data.classes > 0 ? data.classes : paribus::elements(data.targets.front().shape);
    head = convolution(width, out, params.kernel, true);
    register_module("convs", convs);
    register_module("norms", norms);
    register_module("head", head);
  }

  at::Tensor forward(const at::Tensor& input) override { return scores_of(features_of(input)); }
  [[nodiscard]] at::Tensor features_of(const at::Tensor& input) override {
    at::Tensor x = input;
    for (std::size_t i = 0; i < convs->size(); ++i) {
      x = convs[i]->as<torch::nn::Conv2d>()->forward(x);
      if (params.norm) x = norms[i]->as<torch::nn::BatchNorm2d>()->forward(x);
      x = activated(x);
    }
    return x;
  }
  [[nodiscard]] at::Tensor scores_of(const at::Tensor& features) override {
    return head(features).mean({2, 3});
  }

  torch::nn::ModuleList convs, norms;
  torch::nn::Conv2d head{nullptr};

 private:
  [[nodiscard]] torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out,
                                              std::int64_t kernel, bool bias) const {
    torch::nn::Conv2d layer(
        torch::nn::Conv2dOptions(in, out, kernel).stride(2).padding(kernel / 2).bias(bias));
    if (params.init == "kaiming") {
      const bool leaky = params.act == "leaky" || params.act == "general";
      torch::nn::init::kaiming_normal_(layer->weight, leaky ? 0.1 : 0.0, torch::kFanIn,
                                       torch::kLeakyReLU);
    }
    return layer;
  }
  [[nodiscard]] at::Tensor activated(const at::Tensor& x) const {
    if (params.act == "leaky") return at::leaky_relu(x, 0.1);
    if (params.act == "general") return at::leaky_relu(x, 0.1) - 0.4;
    if (params.act == "gelu") return at::gelu(x);
    return params.act == "silu" ? at::silu(x) : at::relu(x);
  }
};
PARIBUS_PART(ConvNet, "convnet", "convolutions of stride 2 with batch norm")
