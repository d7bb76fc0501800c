// SPDX-License-Identifier: Apache-2.0
// Few made-up studies of each kind; `tools/bench null` runs 10,000. The draws are always the same.
#include <gtest/gtest.h>

#include "tools/benches/null_studies.h"

namespace paribus::bench {
namespace {

constexpr std::size_t kStudies = 300;
constexpr double kMost = 0.05 + 2.5 * 0.0126;  // alpha and 2.5 standard errors of its share

TEST(NullStudies, FixedSeedsNameFewFalseWinners) {
  for (const std::size_t arms : {std::size_t{2}, std::size_t{4}}) {
    for (const Noise noise : {Noise::normal, Noise::skewed, Noise::heavy}) {
      const auto t = NullStudies({.arms = arms, .noise = noise, .test = "t"}).run(kStudies);
      const auto signs = NullStudies({.arms = arms, .noise = noise, .seeds = 9}).run(kStudies);
      EXPECT_LE(t.false_verdicts, kMost);
      EXPECT_LE(signs.false_verdicts, kMost);
      EXPECT_GT(t.false_verdicts + signs.false_verdicts, 0) << "nothing was tested";
    }
  }
}

TEST(NullStudies, SeedsBoughtUntilDecidedNameFewFalseWinners) {
  for (const std::size_t arms : {std::size_t{2}, std::size_t{4}}) {
    for (const Noise noise : {Noise::normal, Noise::skewed, Noise::heavy}) {
      const Shares shares =
          NullStudies({.arms = arms, .noise = noise, .seeds = 30, .until_decided = true})
              .run(kStudies);
      EXPECT_LE(shares.false_verdicts, kMost);
      EXPECT_GT(shares.false_verdicts, 0) << "nothing was tested";
    }
  }
}

TEST(NullStudies, LookingOftenWithAFixedTestWouldNameMany) {
  // What the anytime-valid test is for: the same looks with the fixed p.
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  int alarms = 0;
  for (std::size_t i = 0; i < kStudies; ++i) {
    std::vector<double> d;
    bool alarm = false;
    while (d.size() < 30) {
      d.push_back(normal(random));
      alarm = alarm || (d.size() >= 6 && stats::permutation_p(d) <= 0.05);
    }
    alarms += alarm ? 1 : 0;
  }
  EXPECT_GT(alarms, 0.1 * kStudies);
}

TEST(NullStudies, APlantedEffectIsFoundWithFewerSeeds) {
  const Shares bought =
      NullStudies({.seeds = 30, .until_decided = true, .effect = 1.5}).run(kStudies);
  EXPECT_GT(bought.found, 0.97);
  EXPECT_LT(bought.seeds, 10);
  EXPECT_LT(NullStudies({.seeds = 8, .effect = 1.5}).run(kStudies).found, bought.found);
}

}  // namespace
}  // namespace paribus::bench
