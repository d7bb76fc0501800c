// SPDX-License-Identifier: Apache-2.0
// What the report computes itself: thinned series, importance, tables, the page around hostile
// text.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>

#include "paribus/error.h"
#include "tools/report/curves.h"
#include "tools/report/importance.h"
#include "tools/report/report.h"
#include "tools/report/thin.h"

namespace paribus::report {
namespace {

using nlohmann::json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

journal::Series series(std::size_t n, unsigned seed) {
  std::mt19937 draw(seed);
  std::normal_distribution<double> normal;
  journal::Series made{"train.loss", "nat", {}, {}};
  std::int64_t step = static_cast<std::int64_t>(draw() % 50);
  for (std::size_t i = 0; i < n; ++i) {
    made.steps.push_back(step += 1 + static_cast<std::int64_t>(draw() % 9));
    made.values.push_back(normal(draw));
  }
  return made;
}

TEST(Thin, KeepsAShortSeriesPointByPoint) {
  const journal::Series made = series(300, 1);
  const Thin result = thin(made, 300);
  EXPECT_EQ(result.shift, 0);
  ASSERT_EQ(result.buckets.size(), 300u);
  for (std::size_t i = 0; i < 300; ++i) {
    EXPECT_EQ(result.buckets[i].last_step, made.steps[i]);
    EXPECT_EQ(result.buckets[i].least, made.values[i]);
  }
}

TEST(Thin, NarrowedIsAsItWouldHaveBeenMade) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const journal::Series made = series(300 + 231 * seed, seed);
    Thin wide = thin(made, 512);
    const Thin wanted = thin(made, 120);
    narrow(wide, 120);
    EXPECT_EQ(wide.shift, wanted.shift);
    ASSERT_EQ(wide.buckets.size(), wanted.buckets.size());
    for (std::size_t i = 0; i < wanted.buckets.size(); ++i) {
      EXPECT_EQ(wide.buckets[i].number, wanted.buckets[i].number);
      EXPECT_EQ(wide.buckets[i].least, wanted.buckets[i].least);
      EXPECT_EQ(wide.buckets[i].greatest_step, wanted.buckets[i].greatest_step);
      EXPECT_NEAR(wide.buckets[i].sum, wanted.buckets[i].sum, 1e-9);
    }
  }
}

TEST(Thin, LosesNeitherTheLeastNorTheGreatestAndCountsEveryPoint) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const journal::Series made = series(5000 + 731 * seed, seed);
    const Thin result = thin(made, 100);
    ASSERT_LE(result.buckets.size(), 100u);
    ASSERT_GE(result.buckets.size(), 45u);
    double least = 1e9, greatest = -1e9, sum = 0;
    std::size_t n = 0;
    for (const Bucket& bucket : result.buckets) {
      least = std::min(least, bucket.least);
      greatest = std::max(greatest, bucket.greatest);
      sum += bucket.sum;
      n += bucket.n;
    }
    const auto [low, high] = std::minmax_element(made.values.begin(), made.values.end());
    EXPECT_EQ(least, *low);
    EXPECT_EQ(greatest, *high);
    EXPECT_EQ(n, made.values.size());
    EXPECT_NEAR(sum, std::accumulate(made.values.begin(), made.values.end(), 0.0), 1e-9);
  }
}

TEST(Thin, CoarserIsWhatThinningToThatWidthGives) {
  const journal::Series made = series(6000, 7);
  Thin fine = thin(made, 400);
  const Thin wide = thin(made, 50);
  ASSERT_GT(wide.shift, fine.shift);
  coarsen(fine, wide.shift);
  ASSERT_EQ(fine.buckets.size(), wide.buckets.size());
  for (std::size_t i = 0; i < wide.buckets.size(); ++i) {
    EXPECT_EQ(fine.buckets[i].number, wide.buckets[i].number);
    EXPECT_EQ(fine.buckets[i].least_step, wide.buckets[i].least_step);
    EXPECT_EQ(fine.buckets[i].greatest, wide.buckets[i].greatest);
    EXPECT_NEAR(fine.buckets[i].sum, wide.buckets[i].sum, 1e-9);
  }
}

TEST(Thin, WhatIsNotFiniteIsCountedNotDrawn) {
  journal::Series made{"loss", "", {1, 2, 3, 4}, {1.0, INFINITY, kNaN, 2.0}};
  const Thin result = thin(made, 100);
  EXPECT_EQ(result.buckets.size(), 2u);
  EXPECT_EQ(result.not_finite, 2u);
  EXPECT_EQ(result.first_not_finite, 2);
  EXPECT_TRUE(thin({"loss", "", {}, {}}, 100).buckets.empty());
}

TEST(ShortNumber, IsTheSameFloatInFewerDigits) {
  EXPECT_EQ(short_number(static_cast<double>(0.3f)).dump(), "0.3");
  EXPECT_EQ(short_number(0.1 + 0.2).dump(), "0.30000000000000004");
  EXPECT_TRUE(short_number(kNaN).is_null());
  for (const float value : {1e-30f, 3.14159274f, -65504.0f})
    EXPECT_EQ(static_cast<float>(short_number(value).get<double>()), value);
}

results::StudyRecord sweep(const std::vector<std::pair<json, double>>& trials) {
  results::StudyRecord study;
  study.metric = "valid.accuracy";
  study.axes = {"x"};
  for (const auto& [x, value] : trials) {
    results::Trial trial;
    trial.status = results::Status::done;
    trial.values["x"] = x;
    trial.last["valid.accuracy"] = value;
    study.trials.push_back(std::move(trial));
  }
  return study;
}

// scipy.stats.kruskal([1, 5, 2, 8], [9, 7, 7, 12], [3, 15, 14, 11]) gives H = 4.5157..., with a
// tie.
TEST(Importance, IsKruskalsHAsAShare) {
  const auto all = importance_of(sweep({{"a", 1},
                                        {"a", 5},
                                        {"a", 2},
                                        {"a", 8},
                                        {"b", 9},
                                        {"b", 7},
                                        {"b", 7},
                                        {"b", 12},
                                        {"c", 3},
                                        {"c", 15},
                                        {"c", 14},
                                        {"c", 11}}));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].groups, 3u);
  EXPECT_NEAR(all[0].share, (4.515789473684211 - 3 + 1) / (12 - 3), 1e-9);
}

TEST(Importance, IsOneWhereGroupsPartTheOrderAndNothingWhereTheyDont) {
  std::vector<std::pair<json, double>> apart, same;
  for (int i = 0; i < 40; ++i) {
    apart.emplace_back(i / 20, i / 20);  // two values, told by two groups
    same.emplace_back(i % 2, i / 2);
  }
  EXPECT_NEAR(importance_of(sweep(apart)).at(0).share, 1, 1e-12);
  EXPECT_EQ(importance_of(sweep(same)).at(0).share, 0);
}

TEST(Importance, ManyNumbersAreEightRangesAndWhatWentAstrayIsLeftOut) {
  std::vector<std::pair<json, double>> trials;
  for (int i = 0; i < 64; ++i) trials.emplace_back(0.01 * i, i == 5 ? kNaN : i);
  const auto all = importance_of(sweep(trials));
  EXPECT_EQ(all.at(0).groups, 8u);
  EXPECT_EQ(all.at(0).n, 63u);
  EXPECT_GT(all.at(0).share, 0.95);
  trials.resize(9);
  EXPECT_TRUE(importance_of(sweep(trials)).empty());
}

json data_with(const std::string& arm, const std::string& question = "?") {
  const json row = {{"arm", arm},          {"n", 8},         {"baseline_mean", 0.5},
                    {"arm_mean", 0.625},   {"low", -0.0625}, {"high", 0.3125},
                    {"difference", 0.125}, {"p_holm", 0.25}, {"verdict", "undecided"}};
  return {{"study", {{"question", question}, {"name", "s"}, {"metric", "m"}, {"unit", "1"}}},
          {"sweep", nullptr},
          {"comparison",
           {{"metric", "valid.accuracy"},
            {"unit", "1"},
            {"baseline", "sgd"},
            {"effects", json::array()},
            {"arms", {row}},
            {"sentence", question}}}};
}

TEST(Tables, AreReadyForAPaper) {
  EXPECT_EQ(
      table_of(data_with("look_ahead"), "latex"),
      "% valid.accuracy\n"
      "\\begin{tabular}{lrrrrrr}\n\\toprule\n"
      "arm & n & mean & difference & interval & p (Holm) & verdict \\\\\n\\midrule\n"
      "sgd & $8$ & $0.5$ & - & - & - & baseline \\\\\n"
      "look\\_ahead & $8$ & $0.625$ & $+0.125$ & $[-0.0625, +0.312]$ & $0.25$ & undecided \\\\\n"
      "\\bottomrule\n\\end{tabular}\n");
  EXPECT_EQ(table_of(data_with("look_ahead"), "markdown"),
            "| arm | n | mean | difference | interval | p (Holm) | verdict |\n"
            "|---|--:|--:|--:|--:|--:|--:|\n"
            "| sgd | 8 | 0.5 | - | - | - | baseline |\n"
            "| look\\_ahead | 8 | 0.625 | +0.125 | \\[-0.0625, +0.312\\] | 0.25 | undecided |\n");
}

TEST(Tables, NamesCantBreakThem) {
  const std::string name = "a|b&c\\d\n<img src=x>{$\x1b[31m" + std::string(10'000, 'x');
  const std::string latex = table_of(data_with(name), "latex");
  EXPECT_NE(
      latex.find("a|b\\&c\\textbackslash{}d?\\textless{}img src=x\\textgreater{}\\{\\$?[31mxx"),
      std::string::npos);
  EXPECT_LT(latex.size(), 1200u);
  const std::string markdown = table_of(data_with(name), "markdown");
  EXPECT_NE(markdown.find("a\\|b\\&c\\\\d?&lt;img src=x>{$?\\[31mxx"), std::string::npos);
  EXPECT_EQ(std::count(markdown.begin(), markdown.end(), '\n'), 4);
}

TEST(Tables, AnotherFormatIsRefused) {
  try {
    table_of(data_with("a"), "word");
    FAIL();
  } catch (const Error& problem) {
    EXPECT_STREQ(problem.what(),
                 "there is no format 'word' of a table; there are latex and markdown");
  }
}

TEST(Page, TextEndsNoElementAndNamesNoPlace) {
  const std::string hostile = "</script><script>alert(1)</script><!-- {{script}} \x1b[2J";
  const std::string page = page_of(data_with("a", hostile));
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_NE(page.find("\\u003c/script>\\u003cscript>alert(1)"), std::string::npos);
  EXPECT_NE(page.find("<title>&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(page.find("{{script}} ?[2J</title>"), std::string::npos)
      << "what is filled in is not filled";
  EXPECT_EQ(page.find('\x1b'), std::string::npos);
}

TEST(Page, WhatIsNotUtf8IsReplaced) {
  const std::string page = page_of(data_with("a\xff", "b\xfe?"));
  EXPECT_EQ(page.find('\xff'), std::string::npos);
  EXPECT_EQ(page.find('\xfe'), std::string::npos);
  EXPECT_NE(page.find("<title>b\xEF\xBF\xBD?</title>"), std::string::npos);
}

}  // namespace
}  // namespace paribus::report
