// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "paribus/error.h"
#include "stats/compare.h"
#include "stats/paired.h"

namespace paribus::stats {
namespace {

/// Straight from the definition.
double counted_p(const std::vector<double>& d) {
  double observed = 0;
  for (const double one : d) observed += one;
  std::size_t hits = 0;
  for (std::size_t signs = 0; signs < (std::size_t{1} << d.size()); ++signs) {
    double sum = 0;
    for (std::size_t i = 0; i < d.size(); ++i) sum += (signs >> i) & 1 ? d[i] : -d[i];
    if (std::abs(sum) >= std::abs(observed) - 1e-9) ++hits;
  }
  return static_cast<double>(hits) / static_cast<double>(std::size_t{1} << d.size());
}

TEST(Permutation, CountsEverySignPattern) {
  const std::vector<double> d{0.3, -0.1, 0.7, 0.2, 0.05, -0.4, 0.9, 0.11, 0.6, 0.01, -0.02};
  for (std::size_t n = 1; n <= d.size(); ++n) {
    const std::vector<double> some(d.begin(), d.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(permutation_p(some), counted_p(some)) << n;
  }
}

TEST(Permutation, TiesCountInSpiteOfRounding) {
  EXPECT_EQ(permutation_p({0.1, 0.2, -0.3}), 1);  // the sum is 5e-17
  EXPECT_EQ(permutation_p({0.1, 0.2, 0.3, 0.6}), 2.0 / 16);
}

TEST(Permutation, HasNoEvidenceInNothing) {
  EXPECT_EQ(permutation_p({}), 1);
  EXPECT_EQ(permutation_p({5}), 1);
  EXPECT_EQ(permutation_p({0, 0, 0}), 1);
  EXPECT_EQ(permutation_p({1e308, 1e308, 1e308}), 1) << "beyond what a double holds";
}

TEST(Permutation, IsExactToFortyPairs) {
  EXPECT_EQ(permutation_p(std::vector<double>(40, 1.0)), std::ldexp(1.0, -39));
  EXPECT_EQ(permutation_p(std::vector<double>(41, 1.0)), 1e-6);
}

TEST(PairedT, KnownExample) {
  const Paired result = paired({1, 2, 3, 4, 5}, 0.05);
  EXPECT_DOUBLE_EQ(result.mean, 3);
  EXPECT_DOUBLE_EQ(result.sd, std::sqrt(2.5));
  EXPECT_NEAR(result.t, 4.242640687119285, 1e-14);
  EXPECT_NEAR(result.p_t, 0.013235, 1e-6);
  EXPECT_NEAR(result.low, 3 - 2.7764451051977987 * std::sqrt(0.5), 1e-12);
}

TEST(PairedT, HasNoIntervalBelowTwoPairs) {
  EXPECT_TRUE(std::isnan(paired({}, 0.05).mean));
  EXPECT_TRUE(std::isnan(paired({}, 0.05).p_permutation));
  EXPECT_EQ(paired({2}, 0.05).mean, 2);
  EXPECT_TRUE(std::isnan(paired({2}, 0.05).low));
  EXPECT_TRUE(std::isnan(paired({2}, 0.05).p_t));
}

TEST(PairedT, EqualDifferencesHaveNoVarianceInSpiteOfRounding) {
  const Paired result = paired(std::vector<double>(7, 0.1), 0.05);
  EXPECT_EQ(result.sd, 0);
  EXPECT_EQ(result.p_t, 0);
  EXPECT_EQ(result.low, result.high);
  EXPECT_TRUE(std::isinf(result.t));
}

TEST(Holm, AdjustsInOrderAndSkipsNaN) {
  const auto adjusted = holm({0.04, 0.01, NAN, 0.03});
  EXPECT_DOUBLE_EQ(adjusted[0], 0.06);
  EXPECT_DOUBLE_EQ(adjusted[1], 0.03);
  EXPECT_TRUE(std::isnan(adjusted[2]));
  EXPECT_DOUBLE_EQ(adjusted[3], 0.06);
  EXPECT_DOUBLE_EQ(holm({0.7, 0.9})[0], 1);
}

TEST(SmallestP, TellsHowManyPairsAreNeeded) {
  EXPECT_EQ(smallest_p(5), 0.0625);
  EXPECT_EQ(smallest_p(0), 1);
  EXPECT_EQ(pairs_needed(0.05, 1), 6U);
  EXPECT_EQ(pairs_needed(0.05, 3), 7U);
  EXPECT_EQ(pairs_needed(0.01, 1), 8U);
}

results::StudyRecord study_of(const std::vector<double>& base, const std::vector<double>& other) {
  results::StudyRecord study;
  study.metric = "valid.accuracy";
  study.goal = "maximize";
  study.arms = {"base", "other"};
  for (const auto& [arm, values] : {std::pair{"base", base}, std::pair{"other", other}}) {
    for (std::size_t seed = 0; seed < values.size(); ++seed) {
      results::Trial trial;
      trial.id = arm + std::to_string(seed);
      trial.arm = arm;
      trial.seed = static_cast<std::int64_t>(seed);
      trial.status = results::Status::done;
      trial.last[study.metric] = values[seed];
      study.trials.push_back(trial);
    }
  }
  return study;
}

TEST(Compare, SaysInWordsWhatCameOut) {
  const auto study = study_of({0, 0, 0, 0, 0, 0}, {1, 1.5, 1, 1.5, 1, 1.5});
  EXPECT_EQ(compare(study, "valid.accuracy").sentence,
            "other is better than base by 1.25 ± 0.29 (95 % interval, p = 0.031, 6 seeds).");
}

TEST(Compare, WarnsWhileTrialsAreMissing) {
  auto study = study_of({0, 0}, {1, 1});
  study.trials.back().status = results::Status::running;
  const auto comparison = compare(study, "valid.accuracy");
  EXPECT_TRUE(
      comparison.sentence.ends_with(" 1 of 4 trials is not done, so this may still change."))
      << comparison.sentence;
  EXPECT_EQ(comparison.arms[0].excluded.at(0).reason, "other running");
}

TEST(Compare, ASeedThatAnArmHasTwiceIsNoPair) {
  auto study = study_of({0, 0}, {1, 1});
  study.trials.push_back(study.trials.back());
  const auto comparison = compare(study, "valid.accuracy");
  EXPECT_EQ(comparison.arms[0].paired.n, 1U);
  EXPECT_EQ(comparison.arms[0].excluded.at(0).reason, "other has 2 such trials");
}

TEST(Compare, TheBestValueIsTakenWhereTheStudySaysSo) {
  auto study = study_of({0, 0}, {1, 1});
  study.at = "best";
  for (auto& trial : study.trials) trial.best["valid.accuracy"] = trial.last["valid.accuracy"] * 3;
  EXPECT_EQ(compare(study, "valid.accuracy").arms[0].paired.mean, 3);
}

TEST(Compare, AMetricThatNobodyMeasuredIsAnError) {
  try {
    compare(study_of({0}, {1}), "valid.acc");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "no trial has the metric 'valid.acc'; there is: valid.accuracy");
  }
}

}  // namespace
}  // namespace paribus::stats
