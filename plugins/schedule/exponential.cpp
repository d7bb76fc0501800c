// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

#include <cmath>

/// base * end^(share of training), or with `gamma` base * gamma^epochs; `staircase` counts whole
/// epochs only, which is PyTorch's ExponentialLR.
struct Exponential : paribus::Schedule {
  struct Params {
    double end = 0.01;
    std::optional<double> gamma;
    bool staircase = false;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("end", &Params::end, "factor of the configured value at the end").above(0),
          paribus::field("gamma", &Params::gamma,
                         "factor per epoch; given, it takes the place of end")
              .above(0),
          paribus::field("staircase", &Params::staircase, "change between epochs only")};
    }
  } params;

  double at(const paribus::Progress& p) const override {
    const double epoch = params.staircase ? std::floor(p.epoch + 1e-9)
                                          : p.epoch;  // a rounding short of a whole epoch
    if (params.gamma) return p.base * std::pow(*params.gamma, epoch);
    return p.base * std::pow(params.end,
                             params.staircase ? epoch / static_cast<double>(p.epochs) : p.fraction);
  }
};
PARIBUS_PART(Exponential, "exponential", "the same factor for each epoch, or to a given end")
