// SPDX-License-Identifier: Apache-2.0
#include "results/arms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <unordered_map>

namespace paribus::results {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct ArmValues {
  std::string arm;
  std::size_t trials = 0, pruned = 0;
  std::vector<double> values, epochs;
};

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<ArmValues> values_of_arms(const StudyRecord& study, const std::string& metric) {
  std::vector<ArmValues> arms;
  std::unordered_map<std::string, std::size_t> numbers;
  const bool is_sweep = !study.axes.empty();
  for (const Trial& trial : study.trials) {
    const auto [number, is_new] = numbers.try_emplace(trial.arm, arms.size());
    if (is_new) arms.push_back({trial.arm, 0, 0, {}, {}});
    ArmValues& arm = arms[number->second];
    ++arm.trials;
    const auto& measured = study.at == "best" ? trial.best : trial.last;
    const auto value = measured.find(metric);
    const bool is_pruned = is_sweep && trial.status == Status::pruned;
    if (value == measured.end() || !(trial.status == Status::done || is_pruned)) continue;
    arm.values.push_back(value->second);
    arm.epochs.push_back(trial.epochs.value_or(kNaN));
    if (is_pruned) ++arm.pruned;
  }
  return arms;
}

ArmSummary summary_of(const ArmValues& arm) {
  const std::vector<double>& values = arm.values;
  ArmSummary summary{arm.arm, arm.trials, values.size(), arm.pruned, kNaN, kNaN, kNaN, kNaN, kNaN};
  if (values.empty()) return summary;
  const auto n = static_cast<double>(values.size());
  summary.mean = mean_of(values);
  summary.epochs = mean_of(arm.epochs);
  double squares = 0;
  for (const double value : values) squares += (value - summary.mean) * (value - summary.mean);
  if (values.size() > 1) summary.sd = std::sqrt(squares / (n - 1));
  if (std::isnan(summary.mean)) return summary;  // NaN has no order
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  summary.least = *least;
  summary.greatest = *greatest;
  return summary;
}

}  // namespace

std::vector<std::string> arms_of(const StudyRecord& study) {
  std::vector<std::string> arms;
  std::set<std::string> seen;
  for (const Trial& trial : study.trials) {
    if (seen.insert(trial.arm).second) arms.push_back(trial.arm);
  }
  return arms;
}

std::vector<ArmSummary> arm_summaries(const StudyRecord& study, const std::string& metric) {
  std::vector<ArmSummary> summaries;
  for (const ArmValues& arm : values_of_arms(study, metric)) summaries.push_back(summary_of(arm));
  return summaries;
}

std::vector<const ArmSummary*> by_merit(const StudyRecord& study,
                                        const std::vector<ArmSummary>& arms) {
  std::vector<const ArmSummary*> ranked;
  for (const ArmSummary& arm : arms) {
    if (std::isfinite(arm.mean)) ranked.push_back(&arm);
  }
  const bool least_first = study.goal == "minimize";
  std::stable_sort(ranked.begin(), ranked.end(), [&](const ArmSummary* a, const ArmSummary* b) {
    if ((a->pruned > 0) != (b->pruned > 0)) return b->pruned > 0;
    return least_first ? a->mean < b->mean : a->mean > b->mean;
  });
  return ranked;
}

const ArmSummary* best_point(const StudyRecord& study, const std::vector<ArmSummary>& arms) {
  const std::vector<const ArmSummary*> ranked = by_merit(study, arms);
  return ranked.empty() || ranked.front()->pruned > 0 ? nullptr : ranked.front();
}

}  // namespace paribus::results
