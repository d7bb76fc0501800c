// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

#include <cmath>
#include <numbers>

/// Up from `start` to `max`, then down to `end` (Smith and Topin 2018). For a learning rate `max`
/// is enough; for momentum give all three: start 0.95, max 0.85, end 0.95.
///
/// fastai: rises over the first quarter of the steps counted from 0 to n, from max / 25, and falls
/// to max / 1e5. pytorch: OneCycleLR, rises over three tenths, its peak at step 0.3 n - 1 of 0 .. n
/// - 1, and falls to start / 1e4. (Of trainings so short that rise * n < 1, PyTorch leaves out the
/// rise; we begin at `start` even then.)
struct OneCycle : paribus::Schedule {
  struct Params {
    std::optional<double> max;
    std::optional<double> start;
    std::optional<double> end;
    double div_start = 25;
    std::optional<double> div_end;
    std::optional<double> rise;
    std::string_view shape = "cosine";
    std::string_view convention = "fastai";
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("max", &Params::max, "value at the peak; not given: the configured value"),
          paribus::field("start", &Params::start, "first value; not given: max / div_start"),
          paribus::field(
              "end", &Params::end,
              "last value; not given: max / div_end (fastai), start / div_end (pytorch)"),
          paribus::field("div_start", &Params::div_start, "peak over first value").above(0),
          paribus::field("div_end", &Params::div_end,
                         "how far it falls; not given: 1e5 (fastai), 1e4 (pytorch)")
              .above(0),
          paribus::field(
              "rise", &Params::rise,
              "share of training up to the peak; not given: 0.25 (fastai), 0.3 (pytorch)")
              .above(0)
              .below(1),
          paribus::field("shape", &Params::shape, "of both legs").one_of("cosine", "linear"),
          paribus::field("convention", &Params::convention, "whose defaults and counting")
              .one_of("fastai", "pytorch")};
    }
  } params;

  double at(const paribus::Progress& p) const override {
    const bool fastai = params.convention == "fastai";
    const double peak = params.max.value_or(p.base);
    const double start = params.start.value_or(peak / params.div_start);
    const double end = params.end.value_or(fastai ? peak / params.div_end.value_or(1e5)
                                                  : start / params.div_end.value_or(1e4));
    const double rise = params.rise.value_or(fastai ? 0.25 : 0.3);
    if (p.fraction <= 0) return start;
    const double now = fastai ? p.fraction : p.inclusive;
    const double turn = fastai ? rise : peak_of_pytorch(rise, p);
    return now < turn ? leg(start, peak, now / turn) : leg(peak, end, (now - turn) / (1 - turn));
  }

 private:
  [[nodiscard]] double leg(double from, double to, double position) const {
    const bool cosine = params.shape == "cosine";
    return from +
           (to - from) * (cosine ? (1 - std::cos(std::numbers::pi * position)) / 2 : position);
  }

  /// Step rise * n - 1 on the scale of `inclusive`; (n - 1) / n is what the two scales differ by.
  static double peak_of_pytorch(double rise, const paribus::Progress& p) {
    const double ratio = p.fraction / p.inclusive;
    return (rise - 1 + ratio) / ratio;
  }
};
PARIBUS_PART(
    OneCycle, "one_cycle",
    "up, then down to almost nothing (Smith and Topin 2018), as fastai or PyTorch count it")
