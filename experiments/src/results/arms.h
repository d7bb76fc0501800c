// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "results/study_record.h"

namespace paribus::results {

/// What one arm came to in one metric, over its trials that are done; one point of a sweep, over
/// those that its search has pruned, too. What can't be told is NaN: all of it without a trial,
/// `sd` with one.
struct ArmSummary {
  std::string arm;
  std::size_t trials = 0;  // of the plan
  std::size_t n = 0;       // that count: those that have the metric
  std::size_t pruned = 0;  // of these
  double mean, sd, least, greatest;
  double epochs;  // mean over those that count
};

/// Every arm that has a trial, of a sweep every point, in the plan's order.
std::vector<std::string> arms_of(const StudyRecord& study);

/// In the plan's order, at the study's `at`. `sd` is that of a sample (n - 1).
std::vector<ArmSummary> arm_summaries(const StudyRecord& study, const std::string& metric);

/// Those with a mean, the best first by the study's goal. What was pruned comes after all others:
/// its value is that of a shorter training.
std::vector<const ArmSummary*> by_merit(const StudyRecord& study,
                                        const std::vector<ArmSummary>& arms);

/// The point of a sweep with the best mean by the study's goal, one of `arms`; null if none has
/// any. What was pruned is no answer.
const ArmSummary* best_point(const StudyRecord& study, const std::vector<ArmSummary>& arms);

}  // namespace paribus::results
