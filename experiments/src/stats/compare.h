// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "results/study_record.h"
#include "stats/paired.h"

/// Arms against the baseline, pair-wise over the same seeds.
namespace paribus::stats {

/// `higher` and `lower` stand for better and worse where nobody said which is wanted. `too_few`: no
/// result of so few pairs could have been significant, so no winner is named.
enum class Verdict : std::uint8_t {
  better,
  worse,
  higher,
  lower,
  equivalent,
  identical,
  undecided,
  too_few,
  no_data
};

std::string_view to_text(Verdict verdict);

/// A seed that does not count, and why: "seed 3: lookahead failed".
struct Excluded {
  std::int64_t seed;
  std::string reason;
};

/// What the test of one question came to.
struct Tested {
  Paired paired;  // of an anytime comparison with its interval, and without fixed-n p-values (NaN)
  int sign = 0;   // of the difference, as far as the test saw one
  double p = 0;   // of the study's test
  double p_holm = 0;                // the same, adjusted for the number of questions
  std::vector<std::int64_t> seeds;  // that count
  std::vector<Excluded> excluded;
  Verdict verdict = Verdict::no_data;
  std::string sentence;
};

struct ArmComparison : Tested {  // arm - baseline
  std::string arm, baseline;
  double baseline_mean = 0, arm_mean = 0;  // over the pairs that count
};

/// A main effect (on - off) or an interaction: half of what one factor's effect differs by between
/// the other's on and off.
struct EffectEstimate : Tested {
  std::string name;                  // "callback.ema", "callback.ema : optimizer.momentum"
  std::size_t order = 1;             // factors in it
  std::vector<std::string> aliases;  // which the design can't tell from it
};

struct Comparison {
  std::string metric, unit, goal, test, at, baseline;
  double alpha = 0.05;
  std::optional<double> margin;
  bool anytime = false;             // p and intervals hold however often one looks (sequential.h)
  std::vector<ArmComparison> arms;  // all but the baseline
  std::vector<EffectEstimate> effects;  // of a factorial design: its questions, instead of the arms
  std::string sentence;                 // for the study as a whole
};

/// Tests one question's differences by the study's test.
void test(const Comparison& of, const std::vector<double>& differences, bool interval,
          Tested& question);

/// Compares all arms (of a sweep: its points) with the first in one metric. Throws Error if there
/// are fewer than two or no trial has the metric, naming near misses.
Comparison compare(const results::StudyRecord& study, const std::string& metric);

/// Each second arm of `pairs` with its first, as one family of questions; `baseline` names in a
/// word what all the first ones are. Throws as `compare`.
Comparison compare_pairs(const results::StudyRecord& study, const std::string& metric,
                         const std::string& baseline,
                         const std::vector<std::pair<std::string, std::string>>& pairs);

/// Whether more seeds would be of use.
struct Decision {
  bool decided = false;                // the question of every arm; of a design, of main effects
  std::vector<std::string> undecided;  // arms that need the next seed; the baseline besides
  std::size_t pairs = 0;               // that were looked at, of the arm that has fewest
};

/// Of a study with seeds = "until decided", in its metric; looks at each arm's seeds up to the
/// first whose trial is neither done nor failed, so the answer never depends on the order in which
/// trials end. Decided is what is better, worse, equivalent or identical, or has only failed trials
/// in as many seeds as could have decided. Throws as `compare`.
Decision decide(const results::StudyRecord& study);

}  // namespace paribus::stats
