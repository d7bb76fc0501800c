// SPDX-License-Identifier: Apache-2.0
#include <paribus/search/points.h>

/// The first value of every axis together, then the second of every axis, and so on.
struct Zip : paribus::Search {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  std::vector<paribus::Point> propose(const std::vector<paribus::Axis>& axes,
                                      const paribus::Stream&) const override {
    using paribus::search::name_of;
    for (const paribus::Axis& axis : axes) {
      if (axis.count == 0) {
        throw paribus::Error("search/zip: '" + name_of(axis) +
                             "' is a range, lists that advance together are needed; give it `n`");
      }
      if (axis.count != axes[0].count) {
        throw paribus::Error("search/zip: '" + name_of(axis) + "' has " +
                             std::to_string(axis.count) + " values, '" + name_of(axes[0]) +
                             "' has " + std::to_string(axes[0].count) +
                             "; give all axes the same number");
      }
    }
    std::vector<paribus::Point> result;
    const std::int64_t count = axes.empty() ? 0 : axes[0].count;
    for (std::int64_t i = 0; i < count; ++i)
      result.emplace_back(axes.size(), paribus::Choice{.index = i});
    return result;
  }
};
PARIBUS_PART(Zip, "zip", "all axes advance together")
