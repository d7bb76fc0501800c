// SPDX-License-Identifier: Apache-2.0
#include <paribus/search/points.h>

#include <numeric>

/// Latin hypercube sampling (McKay, Beckman, Conover 1979): each axis is cut into as many cells as
/// there are trials, and each cell is used once, in an order of the axis's own. So the entries of a
/// list, or the integers of a range, come up equally often, to within one. Another number of trials
/// gives other points.
struct LatinHypercube : paribus::Search {
  struct Params {
    int trials = 20;
    bool centred = false;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("trials", &Params::trials, "how many points").at_least(1).at_most(1'000'000),
          field("centred", &Params::centred,
                "values from the middle of their cells, not from anywhere in them")};
    }
  } params;

  std::vector<paribus::Point> propose(const std::vector<paribus::Axis>& axes,
                                      const paribus::Stream& stream) const override {
    paribus::search::check_axes("search/latin_hypercube", axes);
    std::vector<paribus::Point> result(static_cast<std::size_t>(params.trials));
    for (std::size_t i = 0; i < axes.size(); ++i) {
      paribus::Draws draws = stream.step(0, static_cast<std::int64_t>(i));
      const std::vector<std::uint32_t> cells = shuffled(draws);
      // One place within all cells of an axis of entries: cells are evenly spaced then, so are they
      // dealt to entries evenly.
      const bool entries = axes[i].count > 0 || axes[i].integer;
      const double common = draws.uniform();
      for (std::size_t trial = 0; trial < result.size(); ++trial) {
        const double within = params.centred ? 0.5 : entries ? common : draws.uniform();
        const double u = (cells[trial] + within) / params.trials;
        result[trial].push_back(paribus::search::choice_at(axes[i], u));
      }
    }
    return result;
  }

 private:
  /// 0 to trials - 1 in random order.
  [[nodiscard]] std::vector<std::uint32_t> shuffled(paribus::Draws& draws) const {
    std::vector<std::uint32_t> cells(static_cast<std::size_t>(params.trials));
    std::iota(cells.begin(), cells.end(), 0);
    paribus::shuffle(draws, cells);
    return cells;
  }
};
PARIBUS_PART(LatinHypercube, "latin_hypercube",
             "evenly spread points, each value of an axis in a cell of its own (McKay et al. 1979)")
