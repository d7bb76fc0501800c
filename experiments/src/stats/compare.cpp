// SPDX-License-Identifier: Apache-2.0
#include "stats/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "paribus/error.h"
#include "registry/nearest.h"
#include "stats/effects.h"
#include "stats/sequential.h"
#include "stats/verdict.h"

namespace paribus::stats {
namespace {

using results::StudyRecord;
using results::Trial;

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

ArmComparison compare_arm(const ByArm& trials, const Comparison& of, const std::string& against,
                          const std::string& name, bool interval) {
  ArmComparison arm;
  arm.arm = name;
  arm.baseline = against;
  const BySeed &baseline = trials.at(against), &own = trials.at(name);
  std::vector<double> left, right, differences;
  for (const std::int64_t seed : seeds_of({&baseline, &own})) {
    // Seeds bought one by one count in their order, whichever trial ended first.
    if (of.anytime && (is_unfinished(seed, baseline) || is_unfinished(seed, own))) break;
    const Reading theirs = reading_at(seed, baseline, of.metric, of.at, against),
                  ours = reading_at(seed, own, of.metric, of.at, name);
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
  test(of, differences, interval, arm);
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

/// Sets Holm's p and the verdict of each question of one family.
template <class Question>
void settle(std::vector<Question>& questions, const Comparison& of) {
  std::vector<double> p;
  for (const Question& question : questions) p.push_back(question.p);
  const std::vector<double> adjusted = holm(p);
  const auto with_data = static_cast<std::size_t>(
      std::count_if(questions.begin(), questions.end(),
                    [](const Question& question) { return question.paired.n > 0; }));
  for (std::size_t i = 0; i < questions.size(); ++i) {
    questions[i].p_holm = adjusted[i];
    judge(of, with_data, questions[i]);
  }
}

/// All but its rows.
Comparison head_of(const StudyRecord& study, const std::string& metric) {
  const auto unit = study.units.find(metric);
  return {.metric = metric,
          .unit = unit == study.units.end() ? "" : unit->second,
          .goal = goal_of(study, metric),
          .test = study.test,
          .at = study.at,
          .baseline = "",
          .alpha = study.alpha,
          .margin = metric == study.metric ? study.margin : std::nullopt,
          .anytime = study.until_decided,
          .arms = {},
          .effects = {},
          .sentence = {}};
}

std::string summary_of(const Comparison& comparison, const StudyRecord& study) {
  const auto unfinished =
      std::count_if(study.trials.begin(), study.trials.end(),
                    [](const Trial& trial) { return trial.status != results::Status::done; });
  return summary(comparison, study.trials.size(), static_cast<std::size_t>(unfinished));
}

Comparison compared(const StudyRecord& study, const std::string& metric, bool intervals) {
  require_metric(study, metric);
  if (study.arms.size() < 2) {
    throw Error(fmt::format(
        "the study has {}, so there is nothing to compare; give it [arms] or [ablate], or look at "
        "`paribus results`",
        study.arms.empty() ? "no arms" : "one arm"));
  }
  Comparison comparison = head_of(study, metric);
  comparison.baseline = study.arms.front();
  const ByArm trials = by_arm(study);
  for (std::size_t i = 1; i < study.arms.size(); ++i)
    comparison.arms.push_back(
        compare_arm(trials, comparison, comparison.baseline, study.arms[i], intervals));
  settle(comparison.arms, comparison);
  if (!study.design.empty()) {
    estimate_effects(study, trials, intervals, comparison);
    settle(comparison.effects, comparison);
  }
  comparison.sentence = summary_of(comparison, study);
  return comparison;
}

bool is_decided(const Comparison& comparison, const Tested& question) {
  switch (question.verdict) {
    case Verdict::too_few:
    case Verdict::undecided:
      return false;
    case Verdict::no_data:
      return question.excluded.size() >= anytime_pairs_needed(comparison.test, comparison.alpha);
    default:
      return true;
  }
}

}  // namespace

void test(const Comparison& of, const std::vector<double>& differences, bool interval,
          Tested& question) {
  question.paired = paired(differences, of.alpha, of.anytime ? Tests::none : Tests::all);
  if (!of.anytime) {
    question.p = of.test == "t" ? question.paired.p_t : question.paired.p_permutation;
    question.sign = question.paired.mean > 0 ? 1 : question.paired.mean < 0 ? -1 : 0;
    return;
  }
  const Anytime result = anytime(differences, of.test, of.alpha, interval);
  question.paired.low = result.low;
  question.paired.high = result.high;
  question.p = differences.empty() ? std::numeric_limits<double>::quiet_NaN() : result.p;
  question.sign = result.sign;
}

Comparison compare(const StudyRecord& study, const std::string& metric) {
  return compared(study, metric, true);
}

Comparison compare_pairs(const StudyRecord& study, const std::string& metric,
                         const std::string& baseline,
                         const std::vector<std::pair<std::string, std::string>>& pairs) {
  require_metric(study, metric);
  Comparison comparison = head_of(study, metric);
  comparison.baseline = baseline;
  const ByArm trials = by_arm(study);
  for (const auto& [first, second] : pairs)
    comparison.arms.push_back(compare_arm(trials, comparison, first, second, true));
  settle(comparison.arms, comparison);
  comparison.sentence = summary_of(comparison, study);
  return comparison;
}

Decision decide(const StudyRecord& study) {
  // Only the margin asks for intervals.
  const Comparison comparison = compared(study, study.metric, study.margin.has_value());
  Decision decision{.decided = true, .undecided = {}, .pairs = comparison.arms[0].paired.n};
  for (const EffectEstimate& effect : comparison.effects) {
    decision.pairs = effect.paired.n;
    if (effect.order == 1 && !is_decided(comparison, effect)) decision.decided = false;
  }
  for (const ArmComparison& arm : comparison.arms) {
    if (!comparison.effects.empty()) {  // each arm takes part in all of them
      if (!decision.decided) decision.undecided.push_back(arm.arm);
      continue;
    }
    decision.pairs = std::min(decision.pairs, arm.paired.n);
    if (is_decided(comparison, arm)) continue;
    decision.decided = false;
    decision.undecided.push_back(arm.arm);
  }
  return decision;
}

}  // namespace paribus::stats
