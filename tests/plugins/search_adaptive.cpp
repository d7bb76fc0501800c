// SPDX-License-Identifier: Apache-2.0
// Median stopping, population-based training, and what holds for every adaptive search of our own.
#include <limits>

#include "search_simulator.h"

namespace paribus::testing {
namespace {

using Counts = std::map<std::int64_t, int>;
constexpr double kFails = std::numeric_limits<double>::quiet_NaN();

const std::vector<Axis> kRate{{.addresses = {"optimizer.lr"}, .low = 1e-3, .high = 1, .log = true}};

/// Losses by point and epoch.
World courses(std::vector<std::vector<double>> by_point) {
  return [by_point](const Work& work) {
    return by_point.at(static_cast<std::size_t>(work.point))
        .at(static_cast<std::size_t>(work.until - 1));
  };
}

TEST(SearchMedianStopping, StopsWhatIsWorseThanTheMedianOfMeans) {
  const Simulator study(
      "median_stopping",
      {{"trials", std::int64_t{7}}, {"quorum", std::int64_t{2}}, {"at_once", std::int64_t{1}}},
      kRate, 3);
  const Played played = study.play(courses({
      {5, 4, 3},   // means 5, 4.5, 4
      {6, 5, 4},   // means 6, 5.5, 5: from now on two are through
      {9},         // worse than 5.5, the median of 5 and 6: through, with a mean of 9
      {6, 5, 7},   // equal to 6, the median of 5, 6, 9, and to 5, that of 4.5 and 5.5: goes on
      {kFails},    // has no say
      {5.8, 9},    // better than 6; its best, 5.8, is worse than 5.5, the median of 4.5, 5.5, 5.5
      {5, 5.5, 1}  // its best, 5, is better than both
  }));
  EXPECT_EQ(played.trained, (std::vector<std::int64_t>{3, 3, 1, 3, 1, 2, 3}));
}

TEST(SearchMedianStopping, WaitsForGraceAndTakesTheShortEndOfTraining) {
  const auto worse_and_worse = [](const Work& work) {
    return static_cast<double>(work.point * 100 + work.until);
  };
  const auto play = [&](std::int64_t grace, std::int64_t every, bool maximize) {
    return Simulator("median_stopping",
                     {{"trials", std::int64_t{6}},
                      {"grace", grace},
                      {"every", every},
                      {"at_once", std::int64_t{1}}},
                     kRate, 7, maximize)
        .play(worse_and_worse)
        .trained;
  };
  EXPECT_EQ(play(4, 1, false), (std::vector<std::int64_t>{7, 7, 7, 4, 4, 4}));
  EXPECT_EQ(play(4, 3, false), (std::vector<std::int64_t>{7, 7, 7, 6, 6, 6}));
  EXPECT_EQ(play(4, 3, true), (std::vector<std::int64_t>(6, 7)));
}

TEST(SearchMedianStopping, FindsTheBestForLess) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto world = [](const Work& work) {
      const double x = std::log10(work.choices[0].value) + 1.5;
      return x * x + 1.0 / static_cast<double>(work.until);
    };
    const Played played =
        Simulator("median_stopping", {{"trials", std::int64_t{30}}}, kRate, 10).play(world, seed);
    std::size_t best = 0;
    std::int64_t epochs = 0;
    for (std::size_t i = 0; i < played.points.size(); ++i) {
      epochs += played.trained[i];
      const auto end = [&](std::size_t k) { return world({0, -1, 0, 10, played.points[k]}); };
      if (end(i) < end(best)) best = i;
    }
    found += played.trained[best] == 10 ? 1 : 0;
    EXPECT_LT(epochs, 30 * 10 * 8 / 10);
  }
  EXPECT_EQ(found, 30);
}

TEST(SearchPbt, ReplacesTheWorstByCopiesOfTheBest) {
  const Simulator study("pbt",
                        {{"population", std::int64_t{8}},
                         {"every", std::int64_t{2}},
                         {"resample", 0.0},
                         {"at_once", std::int64_t{3}}},
                        kRate, 5);
  const Played played = study.play([](const Work& work) { return work.choices[0].value; });
  // Generations end at 2, 4 and 5 epochs; two of eight are replaced twice.
  EXPECT_EQ(played.jobs_up_to(), (Counts{{2, 8}, {4, 8}, {5, 8}}));
  ASSERT_EQ(played.points.size(), 12U);
  std::vector<double> first;
  for (std::size_t i = 0; i < 8; ++i) first.push_back(played.points[i][0].value);
  std::sort(first.begin(), first.end());
  for (const Job& job : played.history.jobs) {
    if (job.parent < 0) continue;
    const double parent = played.points[static_cast<std::size_t>(job.parent)][0].value;
    const double value = job.choices[0].value;
    const bool perturbed = value == std::clamp(parent * 0.8, 1e-3, 1.0) ||
                           value == std::clamp(parent * 1.2, 1e-3, 1.0);
    EXPECT_TRUE(perturbed) << value << " from " << parent;
    if (job.until == 4) {
      EXPECT_LE(parent, first[1]) << "one of the best two";
    }
  }
  // The replaced stop where they were judged.
  for (std::size_t i = 0; i < 8; ++i) {
    if (played.points[i][0].value >= first[6]) {
      EXPECT_EQ(played.trained[i], 2);
    }
  }
}

TEST(SearchPbt, PerturbsEveryKindOfAxis) {
  const std::vector<Axis> axes{
      {.addresses = {"a"}, .count = 5},
      {.addresses = {"b"}, .low = 1, .high = 6, .integer = true},
      {.addresses = {"c"}, .low = 0, .high = 1},
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Played played =
        Simulator("pbt", {{"population", std::int64_t{6}}, {"resample", 0.0}}, axes, 8)
            .play([](const Work& work) { return work.choices[2].value; }, seed);
    for (const Job& job : played.history.jobs) {
      if (job.parent < 0) continue;
      const Point& parent = played.points[static_cast<std::size_t>(job.parent)];
      const auto entry = std::abs(job.choices[0].index - parent[0].index);
      const bool at_an_end = parent[0].index == 0 || parent[0].index == 4;
      EXPECT_TRUE(entry == 1 || (entry == 0 && at_an_end));
      const double steps = std::abs(job.choices[1].value - parent[1].value);
      const bool integer_at_an_end = parent[1].value == 1 || parent[1].value == 6;
      EXPECT_TRUE(steps == 1 || (steps == 0 && integer_at_an_end)) << steps;
    }
  }
}

TEST(SearchPbt, DrawsSomeValuesAnew) {
  const Played played =
      Simulator("pbt", {{"population", std::int64_t{20}}, {"resample", 1.0}}, kRate, 11)
          .play([](const Work& work) { return work.choices[0].value; });
  int far = 0, children = 0;
  for (const Job& job : played.history.jobs) {
    if (job.parent < 0) continue;
    ++children;
    const double ratio =
        job.choices[0].value / played.points[static_cast<std::size_t>(job.parent)][0].value;
    far += ratio < 0.79 || ratio > 1.21 ? 1 : 0;
  }
  EXPECT_EQ(children, 50);
  EXPECT_GT(far, 40);
}

/// The rate that helps most falls as training goes on: no constant one is good throughout.
double population_loss(const Work& work, std::vector<double>& losses) {
  losses.resize(std::max(losses.size(), static_cast<std::size_t>(work.point) + 1), 1);
  double& loss = losses[static_cast<std::size_t>(work.point)];
  if (work.parent >= 0) loss = losses[static_cast<std::size_t>(work.parent)];
  for (std::int64_t epoch = work.from; epoch < work.until; ++epoch) {
    const double off = std::log(work.choices[0].value / (0.5 * std::pow(0.85, epoch)));
    loss *= 1 - 0.4 * std::exp(-off * off * 2);
  }
  return loss;
}

TEST(SearchPbt, FollowsARateThatHasToFall) {
  int better = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<double> losses, alone;
    const Played played =
        Simulator("pbt", {{"population", std::int64_t{16}}}, kRate, 25)
            .play([&](const Work& work) { return population_loss(work, losses); }, seed);
    for (std::int64_t i = 0; i < 16; ++i)
      population_loss({i, -1, 0, 25, played.points[static_cast<std::size_t>(i)]}, alone);
    better += *std::min_element(losses.begin(), losses.end()) <
                      *std::min_element(alone.begin(), alone.end()) / 10
                  ? 1
                  : 0;
  }
  EXPECT_GE(better, 18) << "of 20: a tenth of the loss of the best constant rate";
}

TEST(SearchPbt, GoesOnWithoutWhatFails) {
  const auto play = [](World world) {
    return Simulator("pbt", {{"population", std::int64_t{4}}}, kRate, 4).play(world);
  };
  EXPECT_EQ(play([](const Work&) { return kFails; }).jobs_up_to(), (Counts{{1, 4}}));
  const Played one = play([](const Work& work) { return work.point == 2 ? 1.0 : kFails; });
  EXPECT_EQ(one.trained[2], 4) << "the only one that never failed";
  EXPECT_EQ(one.jobs_up_to(), (Counts{{1, 4}, {2, 4}, {3, 4}, {4, 4}}));
}

TEST(SearchPbt, SaysWhatCannotBeSearched) {
  const auto error = [](const Parameters& parameters, std::int64_t epochs) {
    return error_of(
        [&] { Made<AdaptiveSearch>(part("search", "pbt", parameters))->check(kRate, epochs); });
  };
  EXPECT_EQ(error({{"every", std::int64_t{5}}}, 5),
            "search/pbt: there is one generation only: train.epochs is 5, expected more than every "
            "= 5; train longer, or lower `every`");
  EXPECT_EQ(error({{"factors", std::vector<double>{}}}, 5),
            "search/pbt: factors is empty, expected one at least, e.g. [0.8, 1.2]");
  EXPECT_EQ(error_of([] {
              Made<AdaptiveSearch>(part("search", "median_stopping", {{"grace", std::int64_t{5}}}))
                  ->check(kRate, 5);
            }),
            "search/median_stopping: nothing can be stopped early: train.epochs is 5, expected "
            "more than 5, the first decision; train longer, or lower `every` or `grace`");
}

// --- every adaptive search of our own, in worlds without sense ----------------------------------

/// Parameters that `use` accepts with these epochs.
Parameters drawn(const std::string& use, std::int64_t epochs, Draws& draws) {
  Parameters result{{"at_once", std::int64_t{1 + draws.below(9)}},
                    {"sampler", std::string(draws.coin() ? "random" : "sobol")}};
  if (use == "pbt") {
    result["population"] = std::int64_t{2 + draws.below(9)};
    result["every"] = std::int64_t{1 + draws.below(static_cast<std::uint32_t>(epochs - 1))};
    result["quantile"] = 0.05 + 0.45 * draws.uniform();
    result["resample"] = draws.uniform();
  } else if (use == "median_stopping") {
    result["trials"] = std::int64_t{1 + draws.below(20)};
    result["every"] = std::int64_t{1 + draws.below(static_cast<std::uint32_t>(epochs - 1))};
    result["quorum"] = std::int64_t{1 + draws.below(4)};
  } else {
    result["reduction"] = std::int64_t{2 + draws.below(2)};
    if (use != "hyperband") result["trials"] = std::int64_t{32 + draws.below(20)};
  }
  return result;
}

class EachAdaptive : public ::testing::TestWithParam<std::string> {};

TEST_P(EachAdaptive, AsksForNoNonsenseWhateverHappens) {
  const std::vector<Axis> axes{
      {.addresses = {"a"}, .count = 3},
      {.addresses = {"b"}, .low = 1, .high = 6, .integer = true},
      {.addresses = {"c"}, .low = 1e-3, .high = 1, .log = true},
  };
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Stream stream(seed, "world");
    Draws draws = stream.step(0, 0);
    const std::int64_t epochs = 4 + draws.below(28);
    const bool maximize = draws.coin();
    const double failures = draws.coin() ? 0.3 * draws.uniform() : 0;
    const World world = [&](const Work& work) {
      Draws value = stream.item(work.until, work.point);
      return value.uniform() < failures ? kFails : value.below(5);  // many are equal
    };
    const Simulator study(GetParam(), drawn(GetParam(), epochs, draws), axes, epochs, maximize);
    const Played played = study.play(world, seed);
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
    EXPECT_FALSE(played.points.empty());
    if (failures == 0) {
      EXPECT_TRUE(std::find(played.trained.begin(), played.trained.end(), epochs) !=
                  played.trained.end())
          << "seed " << seed << ": nothing is trained to the end";
    }
    if (seed < 10) expect_a_function_of_history(study, played, seed);
  }
}

INSTANTIATE_TEST_SUITE_P(Search, EachAdaptive,
                         ::testing::Values("successive_halving", "hyperband", "asha",
                                           "median_stopping", "pbt"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace paribus::testing
