// SPDX-License-Identifier: Apache-2.0
// Successive halving, Hyperband and ASHA: the numbers of their papers, and what they choose.
#include <limits>

#include "search_simulator.h"

namespace paribus::testing {
namespace {

using Counts = std::map<std::int64_t, int>;
constexpr double kFails = std::numeric_limits<double>::quiet_NaN();

const std::vector<Axis> kAxes{{.addresses = {"optimizer.lr"}, .low = 0, .high = 1}};

/// Losses by point, the same at every epoch.
World losses(std::vector<double> by_point) {
  return [by_point](const Work& work) { return by_point.at(static_cast<std::size_t>(work.point)); };
}
/// Falls with training towards a value of the point's own, which is 0 at 0.3.
double loss(const Work& work) {
  const double distance = work.choices[0].value - 0.3;
  const double still_to_go = 0.01 * (1 + std::cos(40 * work.choices[0].value));
  return distance * distance + still_to_go / static_cast<double>(work.until);
}
Parameters numbers(const std::map<std::string, std::int64_t>& values) {
  return {values.begin(), values.end()};
}
std::vector<std::int64_t> order(const Played& played) {
  std::vector<std::int64_t> result;
  for (const Job& job : played.history.jobs) result.push_back(job.point);
  return result;
}

TEST(SearchSuccessiveHalving, HasThePapersRungs) {
  for (const std::int64_t at_once : {1, 3, 100}) {
    const Simulator study("successive_halving", numbers({{"trials", 81}, {"at_once", at_once}}),
                          kAxes, 81);
    EXPECT_EQ(study.play(loss).jobs_up_to(), (Counts{{1, 81}, {3, 27}, {9, 9}, {27, 3}, {81, 1}}));
  }
  // Epochs that are no power, and a number that doesn't divide: floor(20 / 3), floor(20 / 9).
  const Simulator odd("successive_halving", numbers({{"trials", 20}}), kAxes, 20);
  EXPECT_EQ(odd.play(loss).jobs_up_to(), (Counts{{2, 20}, {7, 6}, {20, 2}}));
  const Simulator late("successive_halving",
                       numbers({{"trials", 20}, {"min_epochs", 5}, {"reduction", 2}}), kAxes, 20);
  EXPECT_EQ(late.play(loss).jobs_up_to(), (Counts{{5, 20}, {10, 10}, {20, 5}}));
}

TEST(SearchSuccessiveHalving, WorksInLogicalTime) {
  const auto time = [](std::int64_t at_once) {
    return Simulator("successive_halving", numbers({{"trials", 9}, {"at_once", at_once}}), kAxes, 9)
        .play(loss)
        .time;
  };
  EXPECT_EQ(time(1), 9 * 1 + 3 * 2 + 1 * 6) << "no epoch is trained twice";
  EXPECT_EQ(time(9), 1 + 2 + 6);
  EXPECT_EQ(time(4), 3 + 2 + 6);
}

TEST(SearchSuccessiveHalving, TakesTheBestOnAndOfEqualOnesTheOlder) {
  const Simulator study("successive_halving", numbers({{"trials", 9}, {"at_once", 1}}), kAxes, 9);
  EXPECT_EQ(order(study.play(losses({5, 2, 9, 2, 7, 2, 2, 8, 6}))),
            (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 5, 1}));
  const Simulator up("successive_halving", numbers({{"trials", 9}, {"at_once", 1}}), kAxes, 9,
                     /*maximize=*/true);
  EXPECT_EQ(order(up.play(losses({5, 2, 9, 2, 7, 2, 2, 8, 6}))),
            (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 7, 4, 2}));
}

TEST(SearchSuccessiveHalving, NeverTakesOnWhatFailed) {
  const Simulator study("successive_halving", numbers({{"trials", 9}, {"at_once", 2}}), kAxes, 9);
  const double infinite = std::numeric_limits<double>::infinity();
  const Played two =
      study.play(losses({kFails, 5, kFails, infinite, kFails, 4, -infinite, kFails, kFails}));
  EXPECT_EQ(two.jobs_up_to(), (Counts{{1, 9}, {3, 2}, {9, 1}}));
  EXPECT_EQ(order(two).back(), 5);
  EXPECT_EQ(study.play(losses(std::vector<double>(9, kFails))).jobs_up_to(), (Counts{{1, 9}}));
}

TEST(SearchHyperband, HasThePapersTable) {
  const Simulator study("hyperband", numbers({{"at_once", 10}}), kAxes, 81);
  const Played played = study.play(loss);
  EXPECT_EQ(played.points.size(), 81U + 34 + 15 + 8 + 5);
  EXPECT_EQ(played.jobs_up_to(0, 81), (Counts{{1, 81}, {3, 27}, {9, 9}, {27, 3}, {81, 1}}));
  EXPECT_EQ(played.jobs_up_to(81, 115), (Counts{{3, 34}, {9, 11}, {27, 3}, {81, 1}}));
  EXPECT_EQ(played.jobs_up_to(115, 130), (Counts{{9, 15}, {27, 5}, {81, 1}}));
  EXPECT_EQ(played.jobs_up_to(130, 138), (Counts{{27, 8}, {81, 2}}));
  EXPECT_EQ(played.jobs_up_to(138), (Counts{{81, 5}}));
}

TEST(SearchHyperband, GoesThroughItsBracketsAgain) {
  const auto played = Simulator("hyperband", numbers({{"rounds", 2}}), kAxes, 9).play(loss);
  EXPECT_EQ(played.points.size(), 2U * (9 + 5 + 3));
  EXPECT_EQ(played.jobs_up_to(17, 26), (Counts{{1, 9}, {3, 3}, {9, 1}}));
}

TEST(SearchAsha, PromotesAsSoonAsOneIsAmongTheBest) {
  const Simulator study("asha", numbers({{"trials", 9}, {"at_once", 1}}), kAxes, 9);
  const Played played = study.play(losses({5, 3, 4, 2, 6, 7, 1, 8, 9}));
  // 1 is the best of three; 3 is better than it; 6 too, and the best of three in the second rung.
  EXPECT_EQ(order(played), (std::vector<std::int64_t>{0, 1, 2, 1, 3, 3, 4, 5, 6, 6, 6, 7, 8}));
  EXPECT_EQ(played.jobs_up_to(), (Counts{{1, 9}, {3, 3}, {9, 1}}));
}

TEST(SearchAsha, NeverLeavesAWorkerWithoutAJobWhilePointsAreLeft) {
  const Simulator study("asha", numbers({{"trials", 60}, {"at_once", 7}}), kAxes, 27);
  const Played played = study.play(loss);
  EXPECT_EQ(played.points.size(), 60U);
  std::size_t begun = 0;
  for (const auto& asked : played.asked) {
    if (!asked.job) {
      EXPECT_EQ(begun, 60U) << "a worker waits";
    }
    if (asked.job && asked.job->point == static_cast<std::int64_t>(begun)) ++begun;
  }
  const Counts jobs = played.jobs_up_to();
  EXPECT_GE(jobs.at(3), 20) << "at least a third";
  EXPECT_GE(jobs.at(9), jobs.at(3) / 3);
  EXPECT_GE(jobs.at(27), 1);
}

TEST(SearchAsha, CountsWhatFailedAndNeverPromotesIt) {
  const Simulator study("asha", numbers({{"trials", 9}, {"at_once", 1}}), kAxes, 9);
  const Played played =
      study.play(losses({kFails, kFails, 4, kFails, kFails, kFails, kFails, 3, kFails}));
  EXPECT_EQ(order(played), (std::vector<std::int64_t>{0, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8}));
}

class EachHalving : public ::testing::TestWithParam<std::string> {
 protected:
  static Parameters parameters(std::int64_t at_once) {
    Parameters result = numbers({{"at_once", at_once}});
    if (GetParam() != "hyperband") result["trials"] = std::int64_t{40};
    return result;
  }
};

TEST_P(EachHalving, FindsOneOfTheBestInMostCases) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Played played = Simulator(GetParam(), parameters(4), kAxes, 27).play(loss, seed);
    double best = 1, reached = 1;
    int better = 0;
    std::vector<double> ends;
    for (std::size_t i = 0; i < played.points.size(); ++i) {
      ends.push_back(loss({0, -1, 0, 27, played.points[i]}));
      best = std::min(best, ends.back());
      if (played.trained[i] == 27) reached = std::min(reached, ends.back());
    }
    for (const double end : ends) better += end < reached ? 1 : 0;
    found += better < 3 ? 1 : 0;
    EXPECT_GE(reached, best);
  }
  EXPECT_GE(found, 32) << "of 40: one of the best three is trained to the end";
}

TEST_P(EachHalving, IsAFunctionOfTheHistory) {
  const Simulator study(GetParam(), parameters(3), kAxes, 27);
  const Played played = study.play(loss);
  expect_a_function_of_history(study, played);
}

TEST_P(EachHalving, DrawsPointsAsRandomAndSobolSearchDo) {
  for (const std::string sampler : {"random", "sobol"}) {
    Parameters given = parameters(4);
    given["sampler"] = sampler;
    const Played played = Simulator(GetParam(), given, kAxes, 27).play(loss, 7);
    const auto points = Made<Search>(part("search", sampler, {{"trials", std::int64_t{20}}}))
                            ->propose(kAxes, Stream(7, "search"));
    for (std::size_t i = 0; i < points.size(); ++i) EXPECT_TRUE(same(points[i], played.points[i]));
  }
}

TEST_P(EachHalving, SaysWhatCannotBeSearched) {
  const std::string who = "search/" + GetParam();
  const auto error = [](const Parameters& parameters, const std::vector<Axis>& axes,
                        std::int64_t epochs) {
    return error_of(
        [&] { Made<AdaptiveSearch>(part("search", GetParam(), parameters))->check(axes, epochs); });
  };
  EXPECT_EQ(error(parameters(1), kAxes, 2),
            who +
                ": nothing can be stopped early: train.epochs is 2, expected at least min_epochs "
                "* reduction = 3; train longer, or lower one of these");
  EXPECT_EQ(
      error(parameters(1), {{.addresses = {"optimizer.lr"}, .low = 0, .high = 1, .log = true}}, 9),
      who +
          ": the range of 'optimizer.lr' has no logarithm, got 0.000000 to 1.000000, "
          "expected low > 0");
  if (GetParam() == "hyperband") return;
  EXPECT_EQ(error({{"trials", std::int64_t{8}}}, kAxes, 9),
            who +
                ": none of 8 trials would be trained for all 9 epochs: one in 9 is; give at "
                "least 9 trials, or raise min_epochs");
}

INSTANTIATE_TEST_SUITE_P(Search, EachHalving,
                         ::testing::Values("successive_halving", "hyperband", "asha"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace paribus::testing
