// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/_adaptive_avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <paribus/callback.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace {

constexpr std::int64_t kSide = 128, kFrame = 4;  // points

/// N C H W, float: to one size; smoothly where they shrink, unless they are no shades.
at::Tensor sized(const at::Tensor& pictures, bool is_smooth) {
  const std::int64_t longest = std::max(pictures.size(2), pictures.size(3));
  if (longest > kSide && is_smooth) return at::_adaptive_avg_pool2d(pictures, {kSide, kSide});
  return at::upsample_nearest2d(pictures, {kSide, kSide});
}

/// The first input as colours 0..255: what has no scale of its own from its least value to its
/// greatest.
at::Tensor colours(const at::Tensor& input) {
  at::Tensor x = input.to(at::kFloat).nan_to_num();
  if (input.scalar_type() != at::kByte) {
    const at::Tensor low = x.min(), range = (x.max() - low).clamp_min(1e-12);
    x = (x - low) / range * 255;
  }
  return x.size(1) == 3 ? x : x.narrow(1, 0, 1).expand({-1, 3, -1, -1});
}

/// A colour for each class number of N 1 H W, far from its neighbours'.
at::Tensor painted(const at::Tensor& mask) {
  const at::Tensor hue = (mask.to(at::kFloat) * 0.61803398875).frac() * 6;
  std::vector<at::Tensor> channels;
  for (const double shift : {5.0, 3.0, 1.0}) {
    const at::Tensor k = (hue + shift).remainder(6);
    channels.push_back(at::minimum(k, 4 - k).clamp(0, 1).mul(-200).add(235));
  }
  return at::cat(channels, 1);
}

/// Each with a frame: green where `good` (N), else orange; grey where that is undefined.
at::Tensor framed(const at::Tensor& pictures, const at::Tensor& good) {
  const std::int64_t n = pictures.size(0), side = kSide + 2 * kFrame;
  at::Tensor out = at::full({n, 3, side, side}, 90.0, pictures.options());
  if (good.defined()) {
    const at::Tensor is_good = good.to(at::kFloat).view({n, 1, 1, 1});
    constexpr std::array<double, 3> kGood{0, 158, 115}, kBad{213, 94, 0};  // safe for all eyes
    for (std::size_t c = 0; c < kGood.size(); ++c) {
      out.narrow(1, static_cast<std::int64_t>(c), 1)
          .copy_((is_good * kGood[c] + (1 - is_good) * kBad[c]).expand({n, 1, side, side}));
    }
  }
  out.narrow(2, kFrame, kSide).narrow(3, kFrame, kSide).copy_(pictures);
  return out;
}

/// N 3 H W side by side: H (N W) 3.
at::Tensor row(const at::Tensor& pictures) {
  return pictures.permute({2, 0, 3, 1}).reshape({pictures.size(2), -1, 3});
}

}  // namespace

/// Records a picture of some items of the validation split, always the same ones, with what the
/// model makes of them: framed green where it names the right class and orange where not; of masks
/// the true one in a second row and the model's in a third.
struct Pictures : paribus::Callback {
  struct Params {
    int items = 8, every = 1;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("items", &Params::items, "the most: they are the first of the split's last batch")
              .at_least(1)
              .at_most(30),
          field("every", &Params::every, "from one to the next").at_least(1).unit("epoch")};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<2, 0>{{"batch", "outputs"}, {}}; }

  void before_fit(paribus::Fit& fit) override {
    const paribus::Spec& input = fit.data.inputs.front();
    if (!input.type->is(paribus::kImage) || input.shape.size() != 3)
      throw paribus::Error("callback/pictures: the data set's first input is no image");
  }

  void after_validate(paribus::Fit& fit) override {
    if ((fit.epoch + 1) % params.every != 0) return;
    const at::Tensor& input = fit.batch.input();
    const std::int64_t n = std::min<std::int64_t>(params.items, input.size(0));
    const at::Tensor output = fit.outputs.main().detach().cpu();
    const paribus::Typed& target = fit.batch.targets.front();
    const at::Tensor truth = target.data.narrow(0, 0, n).cpu();
    const bool has_classes = output.dim() >= 2 && output.size(1) > 1;
    at::Tensor taken, good;
    if (has_classes) taken = output.narrow(0, 0, n).argmax(1);
    if (has_classes && target.type->is(paribus::kCategory) && truth.dim() == 1)
      good = taken.eq(truth);
    const at::Tensor shown = sized(colours(input.narrow(0, 0, n).cpu()), true);
    std::vector<at::Tensor> rows{row(framed(shown, good))};
    if (target.type->is(paribus::kMask) && has_classes && output.dim() == 4) {
      for (const at::Tensor& mask :
           {truth.view({n, 1, truth.size(-2), truth.size(-1)}), taken.unsqueeze(1)})
        rows.push_back(row(framed(sized(painted(mask), false), {})));
    }
    fit.picture("valid.pictures", at::cat(rows).round().clamp(0, 255).to(at::kByte));
  }
};
PARIBUS_PART(Pictures, "pictures", "records pictures of what the model makes of some items")
