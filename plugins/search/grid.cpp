// SPDX-License-Identifier: Apache-2.0
#include <paribus/search.h>

/// Every combination of the axes' values, the last axis changing fastest.
struct Grid : paribus::Search {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  std::vector<paribus::Point> propose(const std::vector<paribus::Axis>& axes,
                                      const paribus::Stream&) const override {
    constexpr std::int64_t kMost = 1'000'000;
    std::int64_t points = 1;
    for (const paribus::Axis& axis : axes) {
      if (axis.count <= 0) {
        throw paribus::Error("search/grid: '" + name(axis) +
                             "' is a range, a grid needs a list of values; list them, "
                             "or search = { use = \"random\" }");
      }
      if (axis.count > kMost / points) {
        throw paribus::Error("search/grid: the axes up to '" + name(axis) + "' have more than " +
                             std::to_string(kMost) +
                             " combinations; shorten them, or search = { use = \"random\" }");
      }
      points *= axis.count;
    }
    std::vector<paribus::Point> result;
    for (std::int64_t number = 0; number < points; ++number) {
      paribus::Point& point = result.emplace_back(axes.size());
      std::int64_t rest = number;
      for (std::size_t i = axes.size(); i-- > 0; rest /= axes[i].count)
        point[i].index = rest % axes[i].count;
    }
    return result;
  }

 private:
  static std::string name(const paribus::Axis& axis) {
    return axis.addresses.empty() ? "" : axis.addresses.front();
  }
};
PARIBUS_PART(Grid, "grid", "every combination of the listed values")
