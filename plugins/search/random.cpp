// SPDX-License-Identifier: Apache-2.0
#include <paribus/search/points.h>

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
    paribus::search::check_axes("search/random", axes);
    std::vector<paribus::Point> result;
    for (int trial = 0; trial < params.trials; ++trial)
      result.push_back(paribus::search::random_point(axes, stream, trial));
    return result;
  }
};
PARIBUS_PART(Random, "random",
             "independent points, uniform or log-uniform (Bergstra and Bengio 2012)")
