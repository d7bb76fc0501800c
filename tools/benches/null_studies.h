// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "stats/compare.h"
#include "stats/sequential.h"

/// Made-up studies through the real comparison: how often it names a winner where there is none,
/// and how often and how soon it finds one that is there.
namespace paribus::bench {

enum class Noise { normal, skewed, heavy };

/// Arms 1 to n - 1 are alike but for `effect`, which arm 1 has over the baseline in standard
/// deviations of their normal difference.
struct MadeUp {
  std::size_t arms = 2;
  Noise noise = Noise::normal;
  std::string test = "permutation";
  std::size_t seeds = 5;  // the most, where they are bought
  bool until_decided = false;
  double effect = 0;
};

struct Shares {
  double false_verdicts = 0;  // studies that name a winner among arms that are equal
  double found = 0;           // studies that say of arm 1 what is so
  double seeds = 0;           // mean of the seeds that arm 1 took
};

class NullStudies {
 public:
  explicit NullStudies(MadeUp made_up, std::uint64_t seed = 1)
      : made_up_(std::move(made_up)), random_(seed) {
    study_.metric = "valid.accuracy";
    study_.goal = "maximize";
    study_.test = made_up_.test;
    study_.until_decided = made_up_.until_decided;
    for (std::size_t arm = 0; arm < made_up_.arms; ++arm)
      study_.arms.push_back("arm" + std::to_string(arm));
    for (const std::string& arm : study_.arms) {
      for (std::size_t seed_of = 0; seed_of < made_up_.seeds; ++seed_of) {
        results::Trial trial;
        trial.arm = arm;
        trial.id = arm + "-" + std::to_string(seed_of);
        trial.seed = static_cast<std::int64_t>(seed_of);
        trial.last[study_.metric] = 0;
        study_.trials.push_back(std::move(trial));
      }
    }
  }

  Shares run(std::size_t studies) {
    Shares sum;
    for (std::size_t i = 0; i < studies; ++i) {
      draw();
      sum.seeds += static_cast<double>(made_up_.until_decided ? buy() : take_all());
      const stats::Comparison comparison = stats::compare(study_, study_.metric);
      bool is_false = false;
      for (std::size_t arm = 0; arm < comparison.arms.size(); ++arm) {
        const stats::Verdict verdict = comparison.arms[arm].verdict;
        const bool has_effect = arm == 0 && made_up_.effect != 0;
        const bool names = verdict == stats::Verdict::better || verdict == stats::Verdict::worse;
        is_false = is_false || (names && !has_effect);
        if (has_effect && verdict == stats::Verdict::better) sum.found += 1;
      }
      if (is_false) sum.false_verdicts += 1;
    }
    const auto n = static_cast<double>(studies);
    return {sum.false_verdicts / n, sum.found / n, sum.seeds / n};
  }

 private:
  double noise() {
    switch (made_up_.noise) {
      case Noise::normal:
        return normal_(random_);
      case Noise::skewed:
        return exponential_(random_);
      case Noise::heavy:
        return student_(random_);
    }
    return 0;
  }

  /// A seed moves all arms; half of what is left moves all arms but the baseline alike.
  void draw() {
    for (std::size_t seed = 0; seed < made_up_.seeds; ++seed) {
      const double shared = 3 * noise(), baseline = noise(), others = noise();
      for (std::size_t arm = 0; arm < made_up_.arms; ++arm) {
        const double own = std::sqrt(0.5) * ((arm == 0 ? baseline : others) + noise());
        const double shift = arm == 1 ? made_up_.effect * std::sqrt(2) : 0;
        results::Trial& trial = trial_of(arm, seed);
        trial.last.begin()->second = shared + own + shift;
        trial.status = results::Status::planned;
      }
    }
  }

  /// As a driver does: the first seeds, then one at a time for the arms that need it.
  std::size_t buy() {
    std::size_t bought = stats::anytime_pairs_needed(study_.test, study_.alpha), of_first = bought;
    for (std::size_t seed = 0; seed < bought; ++seed) take(seed, study_.arms);
    for (; bought < made_up_.seeds; ++bought) {
      const stats::Decision decision = stats::decide(study_);
      if (decision.decided) break;
      take(bought, decision.undecided);
      if (decision.undecided.front() == study_.arms[1]) of_first = bought + 1;
    }
    return of_first;
  }

  std::size_t take_all() {
    for (std::size_t seed = 0; seed < made_up_.seeds; ++seed) take(seed, study_.arms);
    return made_up_.seeds;
  }

  void take(std::size_t seed, const std::vector<std::string>& arms) {
    trial_of(0, seed).status = results::Status::done;
    for (std::size_t arm = 1; arm < made_up_.arms; ++arm) {
      for (const std::string& name : arms) {
        if (name == study_.arms[arm]) trial_of(arm, seed).status = results::Status::done;
      }
    }
  }

  results::Trial& trial_of(std::size_t arm, std::size_t seed) {
    return study_.trials[arm * made_up_.seeds + seed];
  }

  MadeUp made_up_;
  results::StudyRecord study_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  std::exponential_distribution<double> exponential_;
  std::student_t_distribution<double> student_{2};
};

}  // namespace paribus::bench
