// SPDX-License-Identifier: Apache-2.0
#include "results/arms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace paribus::results {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct ArmValues {
  std::string arm;
  std::size_t trials = 0;
  std::vector<double> values;
};

std::vector<ArmValues> values_of_arms(const StudyRecord& study, const std::string& metric) {
  std::vector<ArmValues> arms;
  for (const Trial& trial : study.trials) {
    auto arm = std::find_if(arms.begin(), arms.end(),
                            [&](const ArmValues& known) { return known.arm == trial.arm; });
    if (arm == arms.end()) arm = arms.insert(arms.end(), {trial.arm, 0, {}});
    ++arm->trials;
    const auto& measured = study.at == "best" ? trial.best : trial.last;
    const auto value = measured.find(metric);
    if (trial.status == Status::done && value != measured.end())
      arm->values.push_back(value->second);
  }
  return arms;
}

ArmSummary summary_of(const ArmValues& arm) {
  const std::vector<double>& values = arm.values;
  ArmSummary summary{arm.arm, arm.trials, values.size(), kNaN, kNaN, kNaN, kNaN};
  if (values.empty()) return summary;
  const auto n = static_cast<double>(values.size());
  summary.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
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

std::vector<ArmSummary> arm_summaries(const StudyRecord& study, const std::string& metric) {
  std::vector<ArmSummary> summaries;
  for (const ArmValues& arm : values_of_arms(study, metric)) summaries.push_back(summary_of(arm));
  return summaries;
}

}  // namespace paribus::results
