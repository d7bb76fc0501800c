// SPDX-License-Identifier: Apache-2.0
#include "stats/effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace paribus::stats {
namespace {

/// Of the seeds with a result in every arm, [seed][arm].
struct Table {
  std::vector<std::vector<double>> values;
  std::vector<std::int64_t> seeds;
  std::vector<Excluded> excluded;
};

Table table_of(const results::StudyRecord& study, const ByArm& trials, const Comparison& of) {
  std::vector<const BySeed*> arms;
  for (const std::string& arm : study.arms) arms.push_back(&trials.at(arm));
  Table table;
  for (const std::int64_t seed : seeds_of(arms)) {
    const bool is_open = std::any_of(arms.begin(), arms.end(),
                                     [&](const BySeed* arm) { return is_unfinished(seed, *arm); });
    if (of.anytime && is_open) break;  // seeds bought one by one count in their order
    std::vector<double> row;
    std::string problem;
    for (std::size_t arm = 0; arm < arms.size() && problem.empty(); ++arm) {
      const Reading reading = reading_at(seed, *arms[arm], of.metric, of.at, study.arms[arm]);
      problem = reading.problem;
      row.push_back(reading.value);
    }
    if (!problem.empty()) {
      table.excluded.push_back({seed, problem});
      continue;
    }
    table.seeds.push_back(seed);
    table.values.push_back(std::move(row));
  }
  return table;
}

/// In order of size, so that equal values give equal sums: a factor that does nothing has an effect
/// of exactly 0.
double sum(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double contrast(const Design& design, const std::vector<std::size_t>& factors,
                const std::vector<double>& row) {
  std::vector<double> with, without;
  for (std::size_t arm = 0; arm < row.size(); ++arm)
    (contrast_sign(design, arm, factors) > 0 ? with : without).push_back(row[arm]);
  return (sum(with) - sum(without)) / (static_cast<double>(row.size()) / 2);
}

}  // namespace

void estimate_effects(const results::StudyRecord& study, const ByArm& trials, bool intervals,
                      Comparison& comparison) {
  const Table table = table_of(study, trials, comparison);
  for (const Effect& effect : effects_of(study.design)) {
    EffectEstimate estimate;
    estimate.name = effect_name(study.design, effect.factors);
    estimate.order = effect.factors.size();
    for (const auto& alias : effect.aliases)
      estimate.aliases.push_back(effect_name(study.design, alias));
    estimate.seeds = table.seeds;
    estimate.excluded = table.excluded;
    std::vector<double> differences;
    for (const std::vector<double>& row : table.values)
      differences.push_back(contrast(study.design, effect.factors, row));
    test(comparison, differences, intervals, estimate);
    comparison.effects.push_back(std::move(estimate));
  }
}

}  // namespace paribus::stats
