// SPDX-License-Identifier: Apache-2.0
#include <paribus/search.h>

/// The first value of every axis, then each other value of each axis alone.
struct MyPart : paribus::Search {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  std::vector<paribus::Point> propose(const std::vector<paribus::Axis>& axes,
                                      const paribus::Stream& /*stream*/) const override {
    std::vector<paribus::Point> points{paribus::Point(axes.size(), paribus::Choice{.index = 0})};
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (axes[i].count == 0)
        throw paribus::Error("search/my_part: '" + axes[i].addresses.front() +
                             "' is a range, expected a list of values");
      for (std::int64_t index = 1; index < axes[i].count; ++index)
        points.emplace_back(points.front())[i].index = index;
    }
    return points;
  }
};
PARIBUS_PART(MyPart, "my_part", "one value changed at a time")
