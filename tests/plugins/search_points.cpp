// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <set>

#include "paribus/search.h"
#include "parts.h"

namespace paribus::testing {
namespace {

Axis list(const std::string& address, std::int64_t count) {
  return {.addresses = {address}, .count = count};
}
Axis range(double low, double high, bool log = false, bool integer = false) {
  return {.addresses = {"optimizer.lr"}, .low = low, .high = high, .log = log, .integer = integer};
}
std::vector<Point> random(std::int64_t trials, const std::vector<Axis>& axes,
                          std::uint64_t seed = 1) {
  return Made<Search>(part("search", "random", {{"trials", trials}}))
      ->propose(axes, Stream(seed, "search"));
}

TEST(SearchGrid, TriesEveryCombinationLastAxisFastest) {
  const auto points =
      Made<Search>(part("search", "grid"))->propose({list("a", 2), list("b", 3)}, {});
  ASSERT_EQ(points.size(), 6U);
  for (std::int64_t i = 0; i < 6; ++i) {
    EXPECT_EQ(points[static_cast<std::size_t>(i)][0].index, i / 3);
    EXPECT_EQ(points[static_cast<std::size_t>(i)][1].index, i % 3);
  }
}

TEST(SearchGrid, RefusesARangeAndAFlood) {
  const Made<Search> grid(part("search", "grid"));
  EXPECT_EQ(error_of([&] {
              grid->propose({list("a", 2), range(0, 1)}, {});
            }),
            "search/grid: 'optimizer.lr' is a range, a grid needs a list of values; list them, or "
            "search = { use = "
            "\"random\" }");
  const std::int64_t huge = std::int64_t{1} << 62;
  EXPECT_EQ(error_of([&] {
              grid->propose({list("a", 2), list("b", huge)}, {});
            }),
            "search/grid: the axes up to 'b' have more than 1000000 combinations; shorten them, or "
            "search = { use = "
            "\"random\" }");
}

TEST(SearchRandom, IsAFunctionOfTheSeed) {
  const std::vector<Axis> axes{list("a", 7), range(1e-4, 1, true)};
  const auto first = random(20, axes), again = random(20, axes), more = random(30, axes),
             other = random(20, axes, 2);
  ASSERT_EQ(first.size(), 20U);
  int different = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i][0].index, again[i][0].index);
    EXPECT_EQ(first[i][1].value, again[i][1].value);
    EXPECT_EQ(first[i][1].value, more[i][1].value) << "asking for more trials keeps the first";
    different += first[i][1].value != other[i][1].value ? 1 : 0;
  }
  EXPECT_EQ(different, 20);
}

TEST(SearchRandom, CoversListsAndRangesEvenly) {
  std::vector<int> entries(4), decades(4), integers(3);
  for (const Point& point :
       random(4000, {list("a", 4), range(1e-4, 1, true), range(2, 4, false, true)})) {
    ++entries[static_cast<std::size_t>(point[0].index)];
    ASSERT_EQ(point[1].index, -1);
    ASSERT_GE(point[1].value, 1e-4);
    ASSERT_LE(point[1].value, 1);
    ++decades[static_cast<std::size_t>(std::min(3.0, std::floor(std::log10(point[1].value) + 4)))];
    ASSERT_EQ(point[2].value, std::round(point[2].value));
    ++integers[static_cast<std::size_t>(point[2].value - 2)];
  }
  for (const int count : entries) EXPECT_NEAR(count, 1000, 150);  // 5.5 standard deviations
  for (const int count : decades) EXPECT_NEAR(count, 1000, 150);
  for (const int count : integers) EXPECT_NEAR(count, 1333, 165);
}

TEST(SearchRandom, RefusesRangesItCannotSample) {
  EXPECT_EQ(error_of([] { random(1, {range(2, 1)}); }),
            "search/random: the range of 'optimizer.lr' is empty, got 2.000000 to 1.000000, "
            "expected low <= high");
  EXPECT_EQ(error_of([] { random(1, {range(0, 1, true)}); }),
            "search/random: the range of 'optimizer.lr' has no logarithm, got 0.000000 to "
            "1.000000, expected low > 0");
}

}  // namespace
}  // namespace paribus::testing
