// SPDX-License-Identifier: Apache-2.0
#include <paribus/search/sobol.h>

/// Sobol's sequence with the direction numbers of Joe and Kuo (2008), scrambled as Owen (1995)
/// does: spread more evenly over all axes together than random points are. It is most even where
/// `trials` is a power of two; asking for more trials keeps the first ones.
struct SobolSearch : paribus::Search {
  struct Params {
    int trials = 32;
    bool scramble = true;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("trials", &Params::trials, "how many points; best a power of two")
              .at_least(1)
              .at_most(1'000'000),
          field("scramble", &Params::scramble,
                "flip digits at random, which keeps the evenness; off: the sequence as it is, with "
                "the lower end of every range as its first point")};
    }
  } params;

  std::vector<paribus::Point> propose(const std::vector<paribus::Axis>& axes,
                                      const paribus::Stream& stream) const override {
    using paribus::search::Sobol;
    Sobol::check("search/sobol", axes);
    const Sobol sequence(axes.size());
    std::vector<paribus::Point> result;
    for (int trial = 0; trial < params.trials; ++trial) {
      paribus::Point& point = result.emplace_back();
      for (std::size_t i = 0; i < axes.size(); ++i) {
        point.push_back(paribus::search::choice_at(
            axes[i],
            params.scramble ? sequence.scrambled(trial, i, stream) : sequence.plain(trial, i)));
      }
    }
    return result;
  }
};
PARIBUS_PART(SobolSearch, "sobol", "evenly spread points: Sobol's sequence, scrambled (Owen 1995)")
