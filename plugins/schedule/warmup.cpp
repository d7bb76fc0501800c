// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

#include <algorithm>
#include <cmath>

/// A straight line from `from` times the first value of `then` up to that value; `then` has the
/// rest of training to itself, as if it began there (PyTorch's SequentialLR).
struct Warmup : paribus::Schedule {
  struct Params {
    paribus::Part<paribus::Schedule> then{"constant"};
    double fraction = 0.05;
    std::optional<double> epochs;
    double from = 0.01;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("then", &Params::then, "what comes after"),
          paribus::field("fraction", &Params::fraction, "share of training that it takes")
              .at_least(0)
              .below(1),
          paribus::field("epochs", &Params::epochs,
                         "epochs that it takes; given, they take fraction's place")
              .at_least(0)
              .unit("epoch"),
          paribus::field("from", &Params::from, "first factor").at_least(0)};
    }
  } params;

  double at(const paribus::Progress& p) const override {
    const auto all = static_cast<double>(p.epochs);
    const double length = params.epochs ? *params.epochs / all : params.fraction;
    if (length >= 1) {
      throw paribus::Error(address() + ": schedule/warmup takes all of training, got " +
                           std::to_string(*params.epochs) + " epochs of " +
                           std::to_string(p.epochs) + "; shorten it");
    }
    const double share = 1 - length;
    paribus::Progress rest{0, 0, 0, std::max<std::int64_t>(1, std::llround(all * share)), p.base};
    if (p.fraction < length - 1e-12) {
      const double factor = params.from + (1 - params.from) * p.fraction / length;
      return params.then->at(rest) * factor;
    }
    rest.fraction = std::max(0.0, (p.fraction - length) / share);
    rest.inclusive = inclusive(rest.fraction, share, p);
    rest.epoch = std::max(0.0, p.epoch - all * length);
    return params.then->at(rest);
  }

 private:
  /// (n - 1) / n is what the two scales of progress differ by; n here is what is left of all steps.
  static double inclusive(double fraction, double share, const paribus::Progress& p) {
    if (fraction <= 0 || p.inclusive <= 0) return 0;
    const double one_step = (1 - p.fraction / p.inclusive) / share;
    return std::min(1.0, fraction / (1 - one_step));
  }
};
PARIBUS_PART(Warmup, "warmup", "a straight line up, then another schedule")
