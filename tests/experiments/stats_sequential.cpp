// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "stats/compare.h"
#include "stats/sequential.h"

namespace paribus::stats {
namespace {

TEST(SignBets, MakeAFairGameOfEverySignPattern) {
  // Given the sizes, what the two gamblers own on average is what they began with.
  const std::vector<double> sizes{0.3, 2, 0.01, 0.7, 0.7, 5, 0.2, 1};
  double sum = 0;
  for (unsigned signs = 0; signs < 256; ++signs) {
    double up = 0;
    for (const double strength : {0.5, 1.5, 4.5, 16.0}) {
      double own = 1, squares = 0;
      for (unsigned i = 0; i < 8; ++i) {
        squares += sizes[i] * sizes[i];
        const double x = strength * sizes[i] / std::sqrt(squares / (i + 1));
        own *= 1 + ((signs >> i) & 1 ? 1 : -1) * x / std::sqrt(1 + x * x);
      }
      up += own / 4;
    }
    sum += up;
    std::vector<double> d(sizes);
    for (unsigned i = 0; i < 8; ++i) d[i] *= (signs >> i) & 1 ? 1 : -1;
    EXPECT_LE(anytime(d, "permutation", 0.05, false).p, std::min(1.0, 2 / up) + 1e-12) << signs;
  }
  EXPECT_NEAR(sum / 256, 1, 1e-12);
}

TEST(SignBets, FalseAlarmsAreAtMostAlphaOverAllSignPatternsAndLooks) {
  // Exact, not drawn: of 2^12 patterns, each as likely under equal arms, few may ever win.
  const std::vector<double> sizes{1, 1.5, 0.2, 3, 1, 0.9, 8, 0.4, 1.1, 2, 0.6, 1};
  for (const double alpha : {0.05, 0.2, 0.5}) {
    int alarms = 0;
    for (unsigned signs = 0; signs < 4096; ++signs) {
      std::vector<double> d(sizes);
      for (unsigned i = 0; i < 12; ++i) d[i] *= (signs >> i) & 1 ? 1 : -1;
      alarms += anytime(d, "permutation", alpha, false).p <= alpha ? 1 : 0;
    }
    EXPECT_LE(alarms, alpha * 4096) << alpha;
    EXPECT_GT(alarms, 0) << alpha;
  }
}

TEST(Anytime, PNeverRisesAndTheIntervalNeverGrows) {
  const std::vector<double> d{0.5, 0.9, -0.2, 0.8, 0.4, 1.1, 0.7, 0.2, 0.9, -0.1, 0.6, 0.8};
  for (const char* test : {"permutation", "t"}) {
    Anytime before{.low = -INFINITY, .high = INFINITY};
    for (std::size_t n = 1; n <= d.size(); ++n) {
      const Anytime now =
          anytime({d.begin(), d.begin() + static_cast<std::ptrdiff_t>(n)}, test, 0.05);
      EXPECT_LE(now.p, before.p);
      EXPECT_GE(now.low, before.low - 1e-9) << test << n;
      EXPECT_LE(now.high, before.high + 1e-9) << test << n;
      EXPECT_LT(now.low, now.high);
      before = now;
    }
    EXPECT_TRUE(std::isfinite(before.low) && std::isfinite(before.high)) << test;
    EXPECT_EQ(before.p <= 0.05, before.low > 0) << test << ": interval and p agree";
    EXPECT_EQ(before.sign, 1);
  }
}

TEST(Anytime, ScaleAndDirectionDoNotMatter) {
  const std::vector<double> d{0.5, 0.9, -0.2, 0.8, 0.4, 1.1, 0.7, 0.2, 0.9};
  for (const char* test : {"permutation", "t"}) {
    const Anytime one = anytime(d, test, 0.1);
    for (const double scale : {-1.0, 0x1p-1000, -0x1p1000}) {
      std::vector<double> other(d);
      for (double& it : other) it *= scale;
      const Anytime two = anytime(other, test, 0.1);
      EXPECT_EQ(two.p, one.p);
      EXPECT_EQ(two.sign, scale > 0 ? 1 : -1);
      EXPECT_DOUBLE_EQ(scale > 0 ? two.low : two.high, one.low * scale);
      EXPECT_DOUBLE_EQ(scale > 0 ? two.high : two.low, one.high * scale);
    }
  }
}

TEST(Anytime, TooFewPairsHaveNoEnds) {
  for (const char* test : {"permutation", "t"}) {
    const std::size_t needed = anytime_pairs_needed(test, 0.05);
    EXPECT_LE(smallest_anytime_p(test, needed), 0.05);
    EXPECT_GT(smallest_anytime_p(test, needed - 1), 0.05);
    const Anytime few = anytime(std::vector<double>(needed - 1, 0.1), test, 0.05);
    EXPECT_EQ(few.low, -std::numeric_limits<double>::infinity());
    EXPECT_EQ(few.high, std::numeric_limits<double>::infinity());
    const Anytime enough = anytime(std::vector<double>(needed, 0.1), test, 0.05);
    EXPECT_NEAR(enough.low, 0.1, 1e-12);
    EXPECT_NEAR(enough.high, 0.1, 1e-12);
    EXPECT_GT(anytime_pairs_needed(test, 0.05, 3), needed);
  }
  EXPECT_EQ(anytime_pairs_needed("permutation", 0.05), 6U);
  EXPECT_EQ(anytime_pairs_needed("t", 0.05), 5U);
  EXPECT_EQ(anytime({}, "permutation", 0.05).p, 1);
}

TEST(Anytime, ExactZerosAreIdenticalOnceOthersCouldBeDecided) {
  EXPECT_FALSE(anytime(std::vector<double>(5, 0.0), "permutation", 0.05).identical);
  const Anytime six = anytime(std::vector<double>(6, 0.0), "permutation", 0.05, false);
  EXPECT_TRUE(six.identical);
  EXPECT_EQ(six.p, 1);
  EXPECT_EQ(six.low, 0);
  EXPECT_EQ(six.high, 0);
}

TEST(Anytime, AVeryLongStudyStaysFinite) {
  const Anytime much = anytime(std::vector<double>(3000, 1.0), "permutation", 0.05, false);
  EXPECT_LT(much.p, 1e-190);
  EXPECT_EQ(much.sign, 1);
}

/// Two arms beside a baseline of zeros.
results::StudyRecord bought(const std::vector<double>& one, const std::vector<double>& two) {
  results::StudyRecord study;
  study.metric = "valid.accuracy";
  study.goal = "maximize";
  study.until_decided = true;
  study.arms = {"base", "one", "two"};
  const std::vector<double> zeros(std::max(one.size(), two.size()));
  for (const auto& [arm, values] :
       {std::pair{"base", &zeros}, std::pair{"one", &one}, std::pair{"two", &two}}) {
    for (std::size_t seed = 0; seed < values->size(); ++seed) {
      results::Trial trial;
      trial.id = arm + std::to_string(seed);
      trial.arm = arm;
      trial.seed = static_cast<std::int64_t>(seed);
      trial.status = results::Status::done;
      trial.last[study.metric] = (*values)[seed];
      study.trials.push_back(trial);
    }
  }
  return study;
}

const std::vector<double> kClear(8, 0.1);
const std::vector<double> kNoise{0.1, -0.1, 0.2, -0.15, 0.05, -0.1, 0.12, -0.11};

TEST(Decide, NamesTheArmsThatNeedTheNextSeed) {
  const Decision decision = decide(bought(kClear, kNoise));
  EXPECT_FALSE(decision.decided);
  EXPECT_EQ(decision.undecided, std::vector<std::string>{"two"});
  EXPECT_EQ(decision.pairs, 8U);
  EXPECT_TRUE(decide(bought(kClear, kClear)).decided);
}

TEST(Decide, AMarginDecidesThatNothingMatters) {
  auto study = bought(kClear, kNoise);
  study.margin = 0.5;
  EXPECT_TRUE(decide(study).decided);
  EXPECT_EQ(compare(study, study.metric).arms[1].verdict, Verdict::equivalent);
}

TEST(Decide, LooksNoFurtherThanTheFirstSeedThatIsMissing) {
  auto study = bought(kClear, kNoise);
  for (results::Trial& trial : study.trials) {
    if (trial.id == "one4") trial.status = results::Status::running;
  }
  const Decision decision = decide(study);
  EXPECT_EQ(decision.pairs, 4U);
  EXPECT_EQ(decision.undecided.size(), 2U);
  EXPECT_TRUE(compare(study, study.metric).arms[0].excluded.empty());
}

TEST(Decide, AnArmThatIsDecidedNeedsNoMoreSeeds) {
  const Decision decision = decide(bought({kClear.begin(), kClear.begin() + 7}, kNoise));
  EXPECT_EQ(decision.undecided, std::vector<std::string>{"two"});
  EXPECT_EQ(decision.pairs, 7U);
}

TEST(Decide, AFailedTrialIsNoPairAndAnArmOfThemIsGivenUp) {
  auto study = bought(kClear, kClear);
  for (results::Trial& trial : study.trials) {
    if (trial.id == "one3" || trial.arm == "two") trial.status = results::Status::failed;
  }
  const Decision decision = decide(study);
  EXPECT_TRUE(decision.decided);
  EXPECT_EQ(compare(study, study.metric).arms[0].paired.n, 7U);
  EXPECT_EQ(compare(study, study.metric).arms[0].excluded.at(0).reason, "one failed");
}

TEST(Decide, WhatIsIdenticalBuysNoMore) {
  const auto study = bought(kClear, std::vector<double>(8, 0.0));
  EXPECT_TRUE(decide(study).decided);
  EXPECT_EQ(compare(study, study.metric).arms[1].verdict, Verdict::identical);
}

TEST(Compare, SaysThatSeedsWereBought) {
  const auto comparison = compare(bought(kClear, kNoise), "valid.accuracy");
  EXPECT_EQ(
      comparison.arms[0].sentence,
      "one is better than base by 0.1 (95 % interval from +0.1 to +0.1, p = 0.025 after Holm, "
      "8 seeds, at every look)");
  EXPECT_TRUE(std::isnan(comparison.arms[0].paired.p_permutation));
  EXPECT_TRUE(std::isnan(comparison.arms[0].paired.p_t));
  const auto few = compare(bought({1, 1}, {1, 1}), "valid.accuracy");
  EXPECT_EQ(few.arms[0].sentence,
            "no winner between one and base can be named: 2 seeds and 2 arms against the baseline "
            "can't go below p = 1; 7 would");
}

}  // namespace
}  // namespace paribus::stats
