// SPDX-License-Identifier: Apache-2.0
// Searches whose points are spread: Sobol's sequence, Latin hypercubes, lists that advance
// together.
#include <cmath>
#include <set>

#include "paribus/search/points.h"
#include "paribus/search/sobol.h"
#include "parts.h"

namespace paribus::testing {
namespace {

Axis list(const std::string& address, std::int64_t count) {
  return {.addresses = {address}, .count = count};
}
Axis range(double low, double high, bool log = false, bool integer = false) {
  return {.addresses = {"optimizer.lr"}, .low = low, .high = high, .log = log, .integer = integer};
}
using Parameters = std::map<std::string, Value>;
std::vector<Point> propose(const std::string& use, const Parameters& parameters,
                           const std::vector<Axis>& axes, std::uint64_t seed = 1) {
  return Made<Search>(part("search", use, parameters))->propose(axes, Stream(seed, "search"));
}
std::vector<std::vector<double>> unit_points(const std::vector<Point>& points) {
  std::vector<std::vector<double>> result;
  for (const Point& point : points) {
    auto& row = result.emplace_back();
    for (const Choice& choice : point) row.push_back(choice.value);
  }
  return result;
}

/// Hickernell (1998), as scipy.stats.qmc.discrepancy with method "CD".
double centred_discrepancy(const std::vector<std::vector<double>>& x) {
  const auto n = static_cast<double>(x.size());
  double single = 0, pairs = 0;
  for (const auto& a : x) {
    double product = 1;
    for (const double v : a) product *= 1 + std::abs(v - 0.5) / 2 - (v - 0.5) * (v - 0.5) / 2;
    single += product;
    for (const auto& b : x) {
      double both = 1;
      for (std::size_t d = 0; d < a.size(); ++d)
        both *= 1 + std::abs(a[d] - 0.5) / 2 + std::abs(b[d] - 0.5) / 2 - std::abs(a[d] - b[d]) / 2;
      pairs += both;
    }
  }
  const double all = std::pow(13.0 / 12, static_cast<double>(x[0].size()));
  return all - 2 / n * single + pairs / (n * n);
}

nlohmann::json scipy_says(const char* section) {
  std::ifstream file(PARIBUS_TEST_DIR "/search_golden.json");
  return nlohmann::json::parse(file).at(section);
}

TEST(SearchSobol, IsThatOfSciPy) {
  const search::Sobol sequence(64);
  for (const auto& point : scipy_says("sobol")) {
    const std::int64_t number = point.at("number");
    for (std::size_t d = 0; d < 64; ++d) {
      ASSERT_EQ(sequence.plain(number, d) * 0x1p32, point.at("digits").at(d).get<double>())
          << "point " << number << ", dimension " << d;
    }
  }
}

TEST(SearchSobol, UnscrambledPointsLieAlongTheAxes) {
  const auto points =
      propose("sobol", {{"trials", std::int64_t{4}}, {"scramble", false}},
              {range(0, 1), list("a", 4), range(1e-4, 1, true), range(1, 4, false, true)});
  const std::vector<double> first{0, 0.5, 0.75, 0.25};
  const std::vector<std::int64_t> entries{0, 2, 1, 3};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(points[i][0].value, first[i]);
    EXPECT_EQ(points[i][1].index, entries[i]);
  }
  EXPECT_NEAR(points[0][2].value, 1e-4, 1e-16);
  EXPECT_NEAR(points[1][2].value, 1e-2, 1e-14) << "half way by the logarithm";
  std::set<double> integers;
  for (const Point& point : points) integers.insert(point[3].value);
  EXPECT_EQ(integers, (std::set<double>{1, 2, 3, 4}));
}

TEST(SearchSobol, ScramblingKeepsEveryCellTakenOnce) {
  const auto points = unit_points(
      propose("sobol", {{"trials", std::int64_t{256}}}, {range(0, 1), range(0, 1), range(0, 1)}));
  for (std::size_t d = 0; d < 3; ++d) {
    std::set<int> cells;
    for (const auto& point : points) cells.insert(static_cast<int>(point[d] * 256));
    EXPECT_EQ(cells.size(), 256U) << "of axis " << d;
  }
  std::set<int> squares;  // a (0, 8, 2)-net in its first two dimensions
  for (const auto& point : points)
    squares.insert(static_cast<int>(point[0] * 16) * 16 + static_cast<int>(point[1] * 16));
  EXPECT_EQ(squares.size(), 256U);
}

TEST(SearchSobol, ScramblingIsAFunctionOfTheSeedAndKeepsTheFirstPoints) {
  const std::vector<Axis> axes{range(0, 1), list("a", 5)};
  const auto few = propose("sobol", {{"trials", std::int64_t{16}}}, axes),
             more = propose("sobol", {{"trials", std::int64_t{50}}}, axes),
             other = propose("sobol", {{"trials", std::int64_t{16}}}, axes, 2);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(few[i][0].value, more[i][0].value);
    EXPECT_EQ(few[i][1].index, more[i][1].index);
    EXPECT_NE(few[i][0].value, other[i][0].value);
  }
}

TEST(SearchSobol, IsSpreadMoreEvenlyThanRandomPoints) {
  const auto golden = scipy_says("discrepancy");
  EXPECT_NEAR(centred_discrepancy(golden.at("points")), golden.at("centred").get<double>(), 1e-12);
  const std::vector<Axis> axes(5, range(0, 1));
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto of = [&](const char* use) {
      return centred_discrepancy(
          unit_points(propose(use, {{"trials", std::int64_t{128}}}, axes, seed)));
    };
    const double random = of("random");
    EXPECT_LT(of("sobol"), random / 3) << "seed " << seed;
    EXPECT_LT(of("latin_hypercube"), random) << "seed " << seed;
  }
}

TEST(SearchSobol, RefusesMoreAxesThanItKnows) {
  EXPECT_EQ(error_of([] { propose("sobol", {}, std::vector<Axis>(65, range(0, 1))); }),
            "search/sobol: Sobol's sequence is known for 64 axes, got 65; sweep fewer, or sample "
            "at random");
  EXPECT_EQ(error_of([] { propose("sobol", {}, {range(0.2, 0.8, false, true)}); }),
            "search/sobol: the range of 'optimizer.lr' holds no integer, got 0.200000 to 0.800000");
}

TEST(SearchLatinHypercube, UsesEachCellOnce) {
  for (const bool centred : {false, true}) {
    const auto points =
        propose("latin_hypercube", {{"trials", std::int64_t{40}}, {"centred", centred}},
                {range(0, 1), range(1e-4, 1, true), range(0, 1)});
    std::set<int> first, second;
    int same = 0;
    for (const Point& point : points) {
      const double cell = point[0].value * 40;
      first.insert(static_cast<int>(cell));
      second.insert(static_cast<int>((std::log10(point[1].value) + 4) / 4 * 40));
      same += static_cast<int>(point[2].value * 40) == static_cast<int>(cell) ? 1 : 0;
      if (centred) {
        EXPECT_NEAR(cell - std::floor(cell), 0.5, 1e-9);
      }
    }
    EXPECT_EQ(first.size(), 40U);
    EXPECT_EQ(second.size(), 40U);
    EXPECT_LT(same, 10) << "each axis has an order of its own";
  }
}

TEST(SearchLatinHypercube, DealsEntriesAndIntegersEvenly) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<int> entries(3), integers(4);
    for (const Point& point : propose("latin_hypercube", {{"trials", std::int64_t{10}}},
                                      {list("a", 3), range(2, 5, false, true)}, seed)) {
      ++entries[static_cast<std::size_t>(point[0].index)];
      ++integers.at(static_cast<std::size_t>(point[1].value - 2));
    }
    for (const int count : entries) EXPECT_TRUE(count == 3 || count == 4) << count;
    for (const int count : integers) EXPECT_TRUE(count == 2 || count == 3) << count;
  }
}

TEST(SearchZip, AdvancesAllAxesTogether) {
  const auto points = propose("zip", {}, {list("a", 3), list("b", 3)});
  ASSERT_EQ(points.size(), 3U);
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(points[static_cast<std::size_t>(i)][0].index, i);
    EXPECT_EQ(points[static_cast<std::size_t>(i)][1].index, i);
  }
}

TEST(SearchZip, RefusesUnequalLengthsAndRanges) {
  EXPECT_EQ(error_of([] {
              propose("zip", {}, {list("a", 3), list("b", 2)});
            }),
            "search/zip: 'b' has 2 values, 'a' has 3; give all axes the same number");
  EXPECT_EQ(error_of([] {
              propose("zip", {}, {list("a", 3), range(0, 1)});
            }),
            "search/zip: 'optimizer.lr' is a range, lists that advance together are needed; give "
            "it `n`");
}

TEST(SearchPoints, IntegersOfARangeWithLooseEndsLieInside) {
  const Axis loose = range(0.4, 3.7, true, true);  // an integer parameter with bounds that aren't
  std::set<double> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(search::value_at(loose, i / 1000.0).value);
  EXPECT_EQ(seen, (std::set<double>{1, 2, 3}));
}

}  // namespace
}  // namespace paribus::testing
