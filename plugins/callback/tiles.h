// SPDX-License-Identifier: Apache-2.0
#pragma once

// Items as small pictures side by side, for callbacks that show some.

#include <ATen/TensorOperators.h>
#include <ATen/ops/_adaptive_avg_pool2d.h>
#include <ATen/ops/full.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <paribus/callback.h>

#include <algorithm>
#include <array>

namespace paribus::callbacks {

inline constexpr std::int64_t kSide = 128, kFrame = 4;  // points

/// N C H W, float: to one size; smoothly where they shrink, unless they are no shades.
inline at::Tensor sized(const at::Tensor& pictures, bool is_smooth) {
  const std::int64_t longest = std::max(pictures.size(2), pictures.size(3));
  if (longest > kSide && is_smooth) return at::_adaptive_avg_pool2d(pictures, {kSide, kSide});
  return at::upsample_nearest2d(pictures, {kSide, kSide});
}

/// The first input as colours 0..255: what has no scale of its own from its least value to its
/// greatest.
inline at::Tensor colours(const at::Tensor& input) {
  at::Tensor x = input.to(at::kFloat).nan_to_num();
  if (input.scalar_type() != at::kByte) {
    const at::Tensor low = x.min(), range = (x.max() - low).clamp_min(1e-12);
    x = (x - low) / range * 255;
  }
  return x.size(1) == 3 ? x : x.narrow(1, 0, 1).expand({-1, 3, -1, -1});
}

/// Each with a frame: green where `good` (N), else orange; grey where that is undefined.
inline at::Tensor framed(const at::Tensor& pictures, const at::Tensor& good) {
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
inline at::Tensor row(const at::Tensor& pictures) {
  return pictures.permute({2, 0, 3, 1}).reshape({pictures.size(2), -1, 3});
}

/// What Fit::picture takes.
inline at::Tensor pixels(const at::Tensor& picture) {
  return picture.round().clamp(0, 255).to(at::kByte);
}

inline bool is_image(const Spec& spec) { return spec.type->is(kImage) && spec.shape.size() == 3; }

}  // namespace paribus::callbacks
