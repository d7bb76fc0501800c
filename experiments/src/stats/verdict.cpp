// SPDX-License-Identifier: Apache-2.0
#include "stats/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace paribus::stats {
namespace {

bool is_within_margin(const Comparison& comparison, const Paired& paired) {
  return comparison.margin && paired.low >= -*comparison.margin &&
         paired.high <= *comparison.margin;
}

bool are_identical(const Paired& paired) {
  return paired.mean == 0 && paired.low == 0 && paired.high == 0;
}

bool can_reach_alpha(const Comparison& comparison, std::size_t comparisons, std::size_t n) {
  if (comparison.test == "t") return n >= 2;
  return n >= pairs_needed(comparison.alpha, comparisons);
}

Verdict direction(const Comparison& comparison, double difference) {
  if (comparison.goal.empty()) return difference > 0 ? Verdict::higher : Verdict::lower;
  return (difference > 0) == (comparison.goal == "maximize") ? Verdict::better : Verdict::worse;
}

Verdict verdict(const Comparison& comparison, std::size_t comparisons, const ArmComparison& arm) {
  const Paired& paired = arm.paired;
  if (paired.n == 0) return Verdict::no_data;
  const bool enough = can_reach_alpha(comparison, comparisons, paired.n);
  if (paired.n > 1 && are_identical(paired)) return Verdict::identical;
  if (enough && arm.p_holm <= comparison.alpha && paired.mean != 0)
    return direction(comparison, paired.mean);
  if (is_within_margin(comparison, paired)) return Verdict::equivalent;
  return enough ? Verdict::undecided : Verdict::too_few;
}

std::string seeds(std::size_t n) { return n == 1 ? "1 seed" : fmt::format("{} seeds", n); }

/// "1" is a number without a unit: nothing to print.
std::string unit_of(const Comparison& comparison) {
  return comparison.unit == "1" ? "" : comparison.unit;
}

std::string with_unit(double value, const Comparison& comparison) {
  return unit_of(comparison).empty() ? fmt::format("{:.4g}", value)
                                     : fmt::format("{:.4g} {}", value, unit_of(comparison));
}

std::string evidence(const Comparison& comparison, const ArmComparison& arm) {
  const double half = (arm.paired.high - arm.paired.low) / 2;
  const std::string interval = std::isfinite(half) ? fmt::format(" ± {:.2g}", half) : "";
  const std::string adjusted = comparison.arms.size() > 1 ? " after Holm" : "";
  return fmt::format(
      "{:.4g}{}{}{} ({}p = {:.2g}{}, {})", std::abs(arm.paired.mean), interval,
      unit_of(comparison).empty() ? "" : " ", unit_of(comparison),
      interval.empty() ? "" : fmt::format("{:.4g} % interval, ", 100 * (1 - comparison.alpha)),
      arm.p_holm, adjusted, seeds(arm.paired.n));
}

std::string too_few(const Comparison& comparison, std::size_t comparisons,
                    const ArmComparison& arm) {
  if (comparison.test == "t") return "1 seed gives no p; 2 would";
  const double least = std::min(1.0, static_cast<double>(comparisons) * smallest_p(arm.paired.n));
  return fmt::format(
      "{}{} can't go below p = {:.4g}; {} would", seeds(arm.paired.n),
      comparisons > 1 ? fmt::format(" and {} arms against the baseline", comparisons) : "", least,
      pairs_needed(comparison.alpha, comparisons));
}

std::string range(const Comparison& comparison, const Paired& paired) {
  return fmt::format("from {:+.3g} to {}{}", paired.low, paired.high >= 0 ? "+" : "",
                     with_unit(paired.high, comparison));
}

std::string sentence(const Comparison& comparison, std::size_t comparisons,
                     const ArmComparison& arm) {
  const std::string& baseline = comparison.baseline;
  switch (arm.verdict) {
    case Verdict::better:
    case Verdict::worse:
    case Verdict::higher:
    case Verdict::lower:
      return fmt::format("{} is {} than {} by {}{}", arm.arm, to_text(arm.verdict), baseline,
                         evidence(comparison, arm),
                         is_within_margin(comparison, arm.paired)
                             ? fmt::format(", yet within the margin of {}",
                                           with_unit(*comparison.margin, comparison))
                             : "");
    case Verdict::equivalent:
      return fmt::format(
          "{} and {} are equivalent: the difference is {}, within the margin of {} ({})", arm.arm,
          baseline, range(comparison, arm.paired), with_unit(*comparison.margin, comparison),
          seeds(arm.paired.n));
    case Verdict::identical:
      return fmt::format("{} gives exactly what {} gives ({})", arm.arm, baseline,
                         seeds(arm.paired.n));
    case Verdict::undecided:
      return fmt::format("undecided between {} and {}: the difference is {} (p = {:.2g}, {})",
                         arm.arm, baseline, range(comparison, arm.paired), arm.p_holm,
                         seeds(arm.paired.n));
    case Verdict::too_few:
      return fmt::format("no winner between {} and {} can be named: {}", arm.arm, baseline,
                         too_few(comparison, comparisons, arm));
    case Verdict::no_data:
      return fmt::format("{} and {} have no seed in common with a result", arm.arm, baseline);
  }
  return "";
}

}  // namespace

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::better:
      return "better";
    case Verdict::worse:
      return "worse";
    case Verdict::higher:
      return "higher";
    case Verdict::lower:
      return "lower";
    case Verdict::equivalent:
      return "equivalent";
    case Verdict::identical:
      return "identical";
    case Verdict::undecided:
      return "undecided";
    case Verdict::too_few:
      return "too few seeds";
    case Verdict::no_data:
      return "no data";
  }
  return "";
}

void judge(const Comparison& comparison, std::size_t comparisons, ArmComparison& arm) {
  arm.verdict = verdict(comparison, comparisons, arm);
  arm.sentence = sentence(comparison, comparisons, arm);
  if (arm.excluded.empty()) return;
  arm.sentence += fmt::format("; {} not counted", seeds(arm.excluded.size()));
}

std::string summary(const Comparison& comparison, std::size_t trials, std::size_t unfinished) {
  std::map<std::string_view, std::vector<std::string>> by_verdict;
  for (const ArmComparison& arm : comparison.arms)
    by_verdict[to_text(arm.verdict)].push_back(arm.arm);
  std::string text;
  if (comparison.arms.size() == 1) {
    text = comparison.arms.front().sentence + ".";
  } else {
    text = fmt::format("Against {}, in {}:", comparison.baseline, comparison.metric);
    for (const auto& [verdict, arms] : by_verdict) {
      text +=
          fmt::format("{} {}: {}", text.ends_with(':') ? "" : ";", verdict, fmt::join(arms, ", "));
    }
    text += ".";
  }
  if (unfinished == 0) return text;
  return text + fmt::format(" {} of {} trials {} not done, so this may still change.", unfinished,
                            trials, unfinished == 1 ? "is" : "are");
}

}  // namespace paribus::stats
