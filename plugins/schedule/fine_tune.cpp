// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

#include <cmath>
#include <numbers>

/// Two cycles, one for the head and one for all: fastai's fine_tune. Over `freeze_epochs` up from
/// max / div_frozen to `max` at `rise_frozen` of them, then over the rest from later max / div up
/// to later max at `rise`, each falling to its peak over `div_end`; legs are cosines.
struct FineTune : paribus::Schedule {
  struct Params {
    std::optional<double> max;
    std::int64_t freeze_epochs = 1;
    double later = 0.5;
    double rise_frozen = 0.99, rise = 0.3;
    double div_frozen = 25, div = 5, div_end = 1e5;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("max", &Params::max, "peak of the first cycle; not given: the configured value"),
          field("freeze_epochs", &Params::freeze_epochs, "length of the first cycle")
              .at_least(0)
              .unit("epoch"),
          field("later", &Params::later, "peak of the second cycle over that of the first")
              .above(0),
          field("rise_frozen", &Params::rise_frozen, "share of the first cycle up to its peak")
              .above(0)
              .below(1),
          field("rise", &Params::rise, "share of the second cycle up to its peak")
              .above(0)
              .below(1),
          field("div_frozen", &Params::div_frozen, "peak over first value of the first cycle")
              .above(0),
          field("div", &Params::div, "peak over first value of the second cycle").above(0),
          field("div_end", &Params::div_end, "peak over last value of both").above(0)};
    }
  } params;

  double at(const paribus::Progress& p) const override {
    const auto frozen = static_cast<double>(params.freeze_epochs);
    const auto epochs = static_cast<double>(p.epochs);
    if (frozen >= epochs) {
      throw paribus::Error(address() + ".freeze_epochs: got " +
                           std::to_string(params.freeze_epochs) + ", expected less than the " +
                           std::to_string(p.epochs) + " epochs of the whole training");
    }
    const double peak = params.max.value_or(p.base);
    // An epoch's first step may come out a rounding short of it.
    if (p.epoch + 1e-9 < frozen)
      return cycle(peak, p.epoch / frozen, params.rise_frozen, params.div_frozen);
    const double position = std::max(0.0, p.epoch - frozen) / (epochs - frozen);
    return cycle(params.later * peak, position, params.rise, params.div);
  }

 private:
  [[nodiscard]] double cycle(double peak, double position, double rise, double div) const {
    if (position < rise) return leg(peak / div, peak, position / rise);
    return leg(peak, peak / params.div_end, (position - rise) / (1 - rise));
  }
  static double leg(double from, double to, double position) {
    return from + (to - from) * (1 - std::cos(std::numbers::pi * position)) / 2;
  }
};
PARIBUS_PART(FineTune, "fine_tune", "a cycle for the head, then one for all (fastai's fine_tune)")
