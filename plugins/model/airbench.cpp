// SPDX-License-Identifier: Apache-2.0
#include <paribus/model.h>

#include <array>

namespace {

constexpr double kEpsilon = 1e-12, kMomentum = 0.4;  // of batch norm: its statistics keep 0.6
constexpr double kLeast = 5e-4;                      // added to what patches vary by
constexpr std::int64_t kPatch = 2;                   // height and width of what is whitened
constexpr std::int64_t kMostPatches = 1 << 21;       // that are looked at

/// Batch norm with a bias and no scale.
struct NormImpl : torch::nn::Module {
  explicit NormImpl(std::int64_t channels)
      : bias(register_parameter("bias", at::zeros({channels}))),
        mean(register_buffer("running_mean", at::zeros({channels}))),
        var(register_buffer("running_var", at::ones({channels}))) {}
  at::Tensor forward(const at::Tensor& x) {
    return at::batch_norm(x, {}, bias, mean, var, is_training(), kMomentum, kEpsilon,
                          at::globalContext().userEnabledCuDNN());
  }
  at::Tensor bias, mean, var;
};
TORCH_MODULE(Norm);

torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out, bool with_identity) {
  torch::nn::Conv2d conv(torch::nn::Conv2dOptions(in, out, 3).padding(1).bias(false));
  if (with_identity) {
    const at::NoGradGuard no_grad;
    const std::int64_t passed = std::min(in, out);
    torch::nn::init::dirac_(conv->weight.narrow(0, 0, passed));
  }
  return conv;
}

/// Two convolutions, with the image halved after the first.
struct GroupImpl : torch::nn::Module {
  GroupImpl(std::int64_t in, std::int64_t out, bool with_identity)
      : conv1(register_module("conv1", convolution(in, out, with_identity))),
        norm1(register_module("norm1", Norm(out))),
        conv2(register_module("conv2", convolution(out, out, with_identity))),
        norm2(register_module("norm2", Norm(out))) {}
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor half = at::gelu(norm1(at::max_pool2d(conv1(x), 2)));
    return at::gelu(norm2(conv2(half)));
  }
  torch::nn::Conv2d conv1;
  Norm norm1;
  torch::nn::Conv2d conv2;
  Norm norm2;
};
TORCH_MODULE(Group);

/// Filters that whiten the patches of `images` (N C H W), and their negatives: eigenvectors of the
/// patches' second moments over the square roots of what they vary by. 2 n x C x 2 x 2 for n =
/// 4 C, float32.
at::Tensor whitening(const at::Tensor& images) {
  const std::int64_t channels = images.size(1), size = channels * kPatch * kPatch;
  const std::int64_t of_each = (images.size(2) - 1) * (images.size(3) - 1);
  const std::int64_t enough = std::clamp<std::int64_t>(kMostPatches / of_each, 1, images.size(0));
  const at::Tensor x = images.detach().narrow(0, 0, enough).to(at::kCPU, at::kDouble);
  // N C H' W' 2 2, then a patch a row.
  const at::Tensor rows =
      x.unfold(2, kPatch, 1).unfold(3, kPatch, 1).permute({0, 2, 3, 1, 4, 5}).reshape({-1, size});
  const at::Tensor moments = rows.t().mm(rows).div(static_cast<double>(rows.size(0)));
  const auto [values, vectors] = at::linalg_eigh(moments);
  const at::Tensor filters = vectors.t().div(values.add(kLeast).sqrt().unsqueeze(1)).flip(0);
  return at::cat({filters, filters.neg()}).view({-1, channels, kPatch, kPatch}).to(at::kFloat);
}

}  // namespace

/// The network of airbench94 (Jordan 2024, arXiv 2404.00498), with which 94 % on CIFAR-10 take ten
/// epochs: 2 x 2 filters that whiten patches of the image, three groups of two convolutions 3 x 3,
/// max pooling, batch norm without scale, GELU, scaled scores. The first training batch decides the
/// whitening (the paper's are 5000 images); it has a bias and is trained no more. The first filters
/// of each other convolution hand their input on.
struct Airbench : paribus::NnModel {
  struct Params {
    std::vector<std::int64_t> widths{64, 256, 256};
    bool whiten = true, identity = true;
    double logit_scale = 1.0 / 9;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("widths", &Params::widths, "channels of the groups: half width is 32, 128, 128")
              .at_least(1)
              .at_most(4096),
          field("whiten", &Params::whiten,
                "the first filters whiten the patches of the first batch; else they are as others "
                "at first, and trained"),
          field("identity", &Params::identity, "convolutions begin with handing their input on"),
          field("logit_scale", &Params::logit_scale, "factor of the scores").above(0).live()};
    }
  } params;

  void build(const paribus::DataSpec& data) override {
    const std::vector<std::int64_t>& shape = data.inputs.front().shape;
    // One is left of it by 2 x 2, and by each group that halves.
    const std::int64_t least = (std::int64_t{1} << params.widths.size()) + 1;
    if (!data.inputs.front().type->is(paribus::kImage) || shape.size() != 3 || shape[1] < least ||
        shape[2] < least) {
      std::string got;
      for (const std::int64_t size : shape)
        got += (got.empty() ? "" : " x ") + std::to_string(size);
      const std::string side = std::to_string(least);
      throw paribus::Error("model/airbench: the input is " +
                           std::string(data.inputs.front().type->name) + " of " + got +
                           ", expected an image C H W of at least " + side + " x " + side);
    }
    std::int64_t width = 2 * shape[0] * kPatch * kPatch;
    torch::nn::Conv2d first(torch::nn::Conv2dOptions(shape[0], width, kPatch));
    if (params.whiten) {  // no weight: nothing is to train, decay or average it
      filters = register_buffer("whiten_weight", first->weight.detach().clone());
      is_whitened = register_buffer("whiten_done", at::zeros({1}));
    } else {
      filters = register_parameter("whiten_weight", first->weight.detach().clone());
    }
    bias = register_parameter("whiten_bias", at::zeros({width}));
    for (const std::int64_t next : params.widths) {
      groups->push_back(Group(width, next, params.identity));
      width = next;
    }
    register_module("groups", groups);
    const std::int64_t out =
        data.classes > 0 ? data.classes : paribus::elements(data.targets.front().shape);
    head = register_module("head",
                           torch::nn::Linear(torch::nn::LinearOptions(width, out).bias(false)));
  }

  at::Tensor forward(const at::Tensor& input) override { return scores_of(features_of(input)); }
  [[nodiscard]] at::Tensor features_of(const at::Tensor& input) override {
    if (params.whiten && is_training()) whiten(input);
    at::Tensor x = at::gelu(at::conv2d(input, filters, bias));
    for (const auto& group : *groups) x = group->as<Group>()->forward(x);
    return x;
  }
  [[nodiscard]] at::Tensor scores_of(const at::Tensor& features) override {
    const std::int64_t height = features.size(2), width = features.size(3);
    return head(at::max_pool2d(features, {height, width}).flatten(1)) * params.logit_scale;
  }

  [[nodiscard]] std::vector<std::string> layer_groups() const override { return {"head"}; }

  at::Tensor filters, bias, is_whitened;
  torch::nn::ModuleList groups;
  torch::nn::Linear head{nullptr};

 private:
  void whiten(const at::Tensor& input) {
    const at::NoGradGuard no_grad;
    if (is_whitened.item<float>() != 0) return;
    filters.copy_(whitening(input));
    is_whitened.fill_(1);
  }
};
PARIBUS_PART(Airbench, "airbench", "Jordan's network for CIFAR-10 (2024), whitened at its entrance")
