// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
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

struct ArmComparison {
  std::string arm;
  double baseline_mean = 0, arm_mean = 0;  // over the pairs that count
  Paired paired;                           // arm - baseline
  double p = 0;                            // of the study's test
  double p_holm = 0;                       // the same, adjusted for the number of arms
  std::vector<std::int64_t> seeds;         // that count
  std::vector<Excluded> excluded;
  Verdict verdict = Verdict::no_data;
  std::string sentence;
};

struct Comparison {
  std::string metric, unit, goal, test, at, baseline;
  double alpha = 0.05;
  std::optional<double> margin;
  std::vector<ArmComparison> arms;  // all but the baseline
  std::string sentence;             // for the study as a whole
};

/// Compares all arms (of a sweep: its points) with the first in one metric. Throws Error if there
/// are fewer than two or no trial has the metric, naming near misses.
Comparison compare(const results::StudyRecord& study, const std::string& metric);

}  // namespace paribus::stats
