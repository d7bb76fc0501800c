// SPDX-License-Identifier: Apache-2.0
#include <paribus/search.h>

#include <algorithm>
#include <cmath>

/// Independent points (Bergstra and Bengio 2012): of a list any entry, of a range any value,
/// uniform or with a uniform logarithm. A trial's draws are addressed by its number and the axis:
/// asking for more trials keeps the first ones.
struct Random : paribus::Search {
  struct Params {
    int trials = 20;
    static constexpr auto fields() {
      return std::tuple{paribus::field("trials", &Params::trials, "how many points")
                            .at_least(1)
                            .at_most(1'000'000)};
    }
  } params;

  std::vector<paribus::Point> propose(const std::vector<paribus::Axis>& axes,
                                      const paribus::Stream& stream) const override {
    for (const paribus::Axis& axis : axes) check(axis);
    std::vector<paribus::Point> result;
    for (int trial = 0; trial < params.trials; ++trial) {
      paribus::Point& point = result.emplace_back();
      for (std::size_t i = 0; i < axes.size(); ++i) {
        paribus::Draws draws = stream.item(trial, static_cast<std::int64_t>(i));
        point.push_back(choose(axes[i], draws));
      }
    }
    return result;
  }

 private:
  static paribus::Choice choose(const paribus::Axis& axis, paribus::Draws& draws) {
    if (axis.count > 0) return {.index = draws.below(static_cast<std::uint32_t>(axis.count))};
    const double low =
        axis.integer ? axis.low - 0.5 : axis.low;  // every integer the same width, the ends too
    const double high = axis.integer ? axis.high + 0.5 : axis.high;
    const double u = draws.uniform();
    const double value = axis.log ? std::exp(std::log(low) + u * (std::log(high) - std::log(low)))
                                  : low + u * (high - low);
    return {.value = std::clamp(axis.integer ? std::round(value) : value, axis.low, axis.high)};
  }

  static void check(const paribus::Axis& axis) {
    const std::string name = axis.addresses.empty() ? "" : axis.addresses.front();
    if (axis.count > 0xFFFFFFFFLL)
      throw paribus::Error("search/random: '" + name + "' has too many values");
    if (axis.count > 0) return;
    const std::string got =
        ", got " + std::to_string(axis.low) + " to " + std::to_string(axis.high);
    if (!std::isfinite(axis.low) || !std::isfinite(axis.high) || axis.low > axis.high) {
      throw paribus::Error("search/random: the range of '" + name + "' is empty" + got +
                           ", expected low <= high");
    }
    if (axis.log && axis.low <= 0) {
      throw paribus::Error("search/random: the range of '" + name + "' has no logarithm" + got +
                           ", expected low > 0");
    }
  }
};
PARIBUS_PART(Random, "random",
             "independent points, uniform or log-uniform (Bergstra and Bengio 2012)")
