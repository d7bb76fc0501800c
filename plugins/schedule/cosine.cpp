// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

#include <cmath>
#include <numbers>

/// Half a cosine from the configured value to `to` times it (Loshchilov and Hutter 2017), flat
/// before `begin`: PyTorch's CosineAnnealingLR over all steps with begin 0, fastai's fit_flat_cos
/// with begin 0.75.
struct Cosine : paribus::Schedule {
  struct Params {
    double to = 0;
    double begin = 0;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("to", &Params::to, "factor of the configured value that it ends at"),
          paribus::field("begin", &Params::begin, "share of training before the descent")
              .at_least(0)
              .below(1)};
    }
  } params;

  double at(const paribus::Progress& p) const override {
    if (p.fraction <= params.begin) return p.base;
    const double position = (p.fraction - params.begin) / (1 - params.begin);
    const double low = p.base * params.to;
    return low + (p.base - low) * (1 + std::cos(std::numbers::pi * position)) / 2;
  }
};
PARIBUS_PART(Cosine, "cosine",
             "half a cosine down from the configured value, after a flat start if wanted")
