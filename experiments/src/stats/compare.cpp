// SPDX-License-Identifier: Apache-2.0
#include "stats/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "paribus/error.h"
#include "registry/nearest.h"
#include "stats/verdict.h"

namespace paribus::stats {
namespace {

using results::StudyRecord;
using results::Trial;

/// The trials of one arm by seed; more than one where the plan repeats itself.
using BySeed = std::map<std::int64_t, std::vector<const Trial*>>;

BySeed trials_of(const StudyRecord& study, const std::string& arm) {
  BySeed trials;
  for (const Trial& trial : study.trials) {
    if (trial.arm == arm) trials[trial.seed].push_back(&trial);
  }
  return trials;
}

/// The metric of a trial, or why there is none.
struct Reading {
  double value = 0;
  std::string problem;
};

Reading reading(const Trial& trial, const Comparison& of) {
  if (trial.status != results::Status::done) {
    return {0, fmt::format("{} {}", trial.arm, results::to_text(trial.status))};
  }
  const auto& values = of.at == "best" ? trial.best : trial.last;
  const auto found = values.find(of.metric);
  if (found == values.end()) return {0, fmt::format("{} has no {}", trial.arm, of.metric)};
  if (!std::isfinite(found->second))
    return {0, fmt::format("{} of {} is not finite", of.metric, trial.arm)};
  return {found->second, ""};
}

Reading reading_at(std::int64_t seed, const BySeed& trials, const Comparison& of,
                   const std::string& arm) {
  const auto found = trials.find(seed);
  if (found == trials.end()) return {0, fmt::format("{} has no such trial", arm)};
  if (found->second.size() > 1)
    return {0, fmt::format("{} has {} such trials", arm, found->second.size())};
  return reading(*found->second.front(), of);
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

ArmComparison compare_arm(const StudyRecord& study, const Comparison& of, const std::string& name) {
  ArmComparison arm;
  arm.arm = name;
  const BySeed baseline = trials_of(study, of.baseline), own = trials_of(study, name);
  std::set<std::int64_t> seeds;
  for (const auto* side : {&baseline, &own}) {
    for (const auto& [seed, trials] : *side) seeds.insert(seed);
  }
  std::vector<double> left, right, differences;
  for (const std::int64_t seed : seeds) {
    const Reading theirs = reading_at(seed, baseline, of, of.baseline),
                  ours = reading_at(seed, own, of, name);
    const std::string& problem = theirs.problem.empty() ? ours.problem : theirs.problem;
    if (!problem.empty()) {
      arm.excluded.push_back({seed, problem});
      continue;
    }
    arm.seeds.push_back(seed);
    left.push_back(theirs.value);
    right.push_back(ours.value);
    differences.push_back(ours.value - theirs.value);
  }
  arm.baseline_mean = mean(left);  // NaN where there is no pair
  arm.arm_mean = mean(right);
  arm.paired = paired(differences, of.alpha);
  arm.p = of.test == "t" ? arm.paired.p_t : arm.paired.p_permutation;
  return arm;
}

std::string goal_of(const StudyRecord& study, const std::string& metric) {
  if (metric == study.metric) return study.goal;
  return metric == "loss" || metric.ends_with(".loss") ? "minimize" : "";
}

void require_metric(const StudyRecord& study, const std::string& metric) {
  const auto known = results::metrics(study);
  if (std::find(known.begin(), known.end(), metric) != known.end() ||
      (metric == study.metric && !metric.empty())) {
    return;
  }
  const std::string near = registry::did_you_mean(metric, known);
  const std::string list =
      known.empty()
          ? "; none has any yet"
          : fmt::format("; there {}: {}", known.size() == 1 ? "is" : "are", fmt::join(known, ", "));
  throw Error(fmt::format("no trial has the metric '{}'{}", metric, near.empty() ? list : near));
}

}  // namespace

Comparison compare(const StudyRecord& study, const std::string& metric) {
  require_metric(study, metric);
  if (study.arms.size() < 2) {
    throw Error(fmt::format(
        "the study has {}, so there is nothing to compare; give it [arms] or [ablate], or look at "
        "`paribus results`",
        study.arms.empty() ? "no arms" : "one arm"));
  }
  const auto unit = study.units.find(metric);
  Comparison comparison{.metric = metric,
                        .unit = unit == study.units.end() ? "" : unit->second,
                        .goal = goal_of(study, metric),
                        .test = study.test,
                        .at = study.at,
                        .baseline = study.arms.front(),
                        .alpha = study.alpha,
                        .margin = metric == study.metric ? study.margin : std::nullopt,
                        .arms = {},
                        .sentence = {}};
  std::vector<double> p;
  for (std::size_t i = 1; i < study.arms.size(); ++i) {
    comparison.arms.push_back(compare_arm(study, comparison, study.arms[i]));
    p.push_back(comparison.arms.back().p);
  }
  const auto adjusted = holm(p);
  const auto with_data = static_cast<std::size_t>(
      std::count_if(comparison.arms.begin(), comparison.arms.end(),
                    [](const ArmComparison& arm) { return arm.paired.n > 0; }));
  for (std::size_t i = 0; i < comparison.arms.size(); ++i) {
    comparison.arms[i].p_holm = adjusted[i];
    judge(comparison, with_data, comparison.arms[i]);
  }
  const auto unfinished =
      std::count_if(study.trials.begin(), study.trials.end(),
                    [](const Trial& trial) { return trial.status != results::Status::done; });
  comparison.sentence =
      summary(comparison, study.trials.size(), static_cast<std::size_t>(unfinished));
  return comparison;
}

}  // namespace paribus::stats
