// SPDX-License-Identifier: Apache-2.0
#include "stats/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "stats/sequential.h"

namespace paribus::stats {
namespace {

bool is_within_margin(const Comparison& comparison, const Paired& paired) {
  return comparison.margin && paired.low >= -*comparison.margin &&
         paired.high <= *comparison.margin;
}

bool are_identical(const Paired& paired) {
  return paired.mean == 0 && paired.low == 0 && paired.high == 0;
}

std::size_t needed(const Comparison& comparison, std::size_t comparisons) {
  if (comparison.anytime)
    return anytime_pairs_needed(comparison.test, comparison.alpha, comparisons);
  return comparison.test == "t" ? 2 : pairs_needed(comparison.alpha, comparisons);
}

double least_p(const Comparison& comparison, std::size_t n) {
  return comparison.anytime ? smallest_anytime_p(comparison.test, n) : smallest_p(n);
}

Verdict direction(const Comparison& comparison, double difference) {
  if (comparison.goal.empty()) return difference > 0 ? Verdict::higher : Verdict::lower;
  return (difference > 0) == (comparison.goal == "maximize") ? Verdict::better : Verdict::worse;
}

Verdict verdict(const Comparison& comparison, std::size_t comparisons, const Tested& question) {
  const Paired& paired = question.paired;
  if (paired.n == 0) return Verdict::no_data;
  const bool enough = paired.n >= needed(comparison, comparisons);
  if (paired.n > 1 && are_identical(paired)) return Verdict::identical;
  if (enough && question.p_holm <= comparison.alpha && question.sign != 0)
    return direction(comparison, question.sign);
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

std::string range(const Comparison& comparison, const Paired& paired) {
  return fmt::format("from {:+.3g} to {}{}", paired.low, paired.high >= 0 ? "+" : "",
                     with_unit(paired.high, comparison));
}

/// The size of a difference that was found, in the direction that was found, and how sure it is.
std::string evidence(const Comparison& comparison, std::size_t questions, const Tested& found) {
  const std::string adjusted = questions > 1 ? " after Holm" : "";
  if (comparison.anytime) {  // its interval has no middle to speak of
    return fmt::format("{} ({:.4g} % interval {}, p = {:.2g}{}, {}, at every look)",
                       with_unit(found.sign * found.paired.mean, comparison),
                       100 * (1 - comparison.alpha), range(comparison, found.paired), found.p_holm,
                       adjusted, seeds(found.paired.n));
  }
  const double half = (found.paired.high - found.paired.low) / 2;
  const std::string interval = std::isfinite(half) ? fmt::format(" ± {:.2g}", half) : "";
  return fmt::format(
      "{:.4g}{}{}{} ({}p = {:.2g}{}, {})", std::abs(found.paired.mean), interval,
      unit_of(comparison).empty() ? "" : " ", unit_of(comparison),
      interval.empty() ? "" : fmt::format("{:.4g} % interval, ", 100 * (1 - comparison.alpha)),
      found.p_holm, adjusted, seeds(found.paired.n));
}

std::string within(const Comparison& comparison, const Paired& paired) {
  return is_within_margin(comparison, paired)
             ? fmt::format(", yet within the margin of {}",
                           with_unit(*comparison.margin, comparison))
             : "";
}

/// "7 seeds and 3 effects can't go below p = 0.05; 8 would".
std::string too_few(const Comparison& comparison, std::size_t comparisons, const char* several,
                    std::size_t n) {
  if (comparison.test == "t" && !comparison.anytime) return "1 seed gives no p; 2 would";
  const double least = std::min(1.0, static_cast<double>(comparisons) * least_p(comparison, n));
  return fmt::format("{}{} can't go below p = {:.4g}; {} would", seeds(n),
                     comparisons > 1 ? fmt::format(" and {} {}", comparisons, several) : "", least,
                     needed(comparison, comparisons));
}

std::string sentence(const Comparison& comparison, std::size_t comparisons,
                     const ArmComparison& arm) {
  const std::string& baseline = arm.baseline;
  switch (arm.verdict) {
    case Verdict::better:
    case Verdict::worse:
    case Verdict::higher:
    case Verdict::lower:
      return fmt::format("{} is {} than {} by {}{}", arm.arm, to_text(arm.verdict), baseline,
                         evidence(comparison, comparison.arms.size(), arm),
                         within(comparison, arm.paired));
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
      return fmt::format(
          "no winner between {} and {} can be named: {}", arm.arm, baseline,
          too_few(comparison, comparisons, "arms against the baseline", arm.paired.n));
    case Verdict::no_data:
      return fmt::format("{} and {} have no seed in common with a result", arm.arm, baseline);
  }
  return "";
}

std::string sentence(const Comparison& comparison, std::size_t comparisons,
                     const EffectEstimate& effect) {
  const bool is_main = effect.order == 1;
  switch (effect.verdict) {
    case Verdict::better:
    case Verdict::worse:
    case Verdict::higher:
    case Verdict::lower:
      return fmt::format(
          "{} {} {} by {}{}", effect.name, is_main ? "on is" : "together are",
          is_main ? fmt::format("{} than off", to_text(effect.verdict))
                  : fmt::format("{} than their effects add up to", to_text(effect.verdict)),
          evidence(comparison, comparisons, effect), within(comparison, effect.paired));
    case Verdict::equivalent:
      return fmt::format("{} {} nothing that matters: {}, within the margin of {} ({})",
                         effect.name, is_main ? "changes" : "together add",
                         range(comparison, effect.paired),
                         with_unit(*comparison.margin, comparison), seeds(effect.paired.n));
    case Verdict::identical:
      return fmt::format(
          "{} {} ({})", effect.name,
          is_main ? "changes nothing at all" : "together give exactly what their effects add up to",
          seeds(effect.paired.n));
    case Verdict::undecided:
      return fmt::format("undecided about {}: {} {} (p = {:.2g}, {})", effect.name,
                         is_main ? "its effect is" : "their interaction is",
                         range(comparison, effect.paired), effect.p_holm, seeds(effect.paired.n));
    case Verdict::too_few:
      return fmt::format("nothing can be said about {}: {}", effect.name,
                         too_few(comparison, comparisons, "effects", effect.paired.n));
    case Verdict::no_data:
      return fmt::format("no seed has a result in every arm, so {} is not known", effect.name);
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

void judge(const Comparison& comparison, std::size_t comparisons, EffectEstimate& effect) {
  effect.verdict = verdict(comparison, comparisons, effect);
  effect.sentence = sentence(comparison, comparisons, effect);
  if (!effect.aliases.empty())
    effect.sentence +=
        fmt::format("; it may as well be due to {}", fmt::join(effect.aliases, ", "));
  if (effect.excluded.empty()) return;
  effect.sentence += fmt::format("; {} not counted", seeds(effect.excluded.size()));
}

namespace {

/// "better: ema; undecided: crop, ema : crop".
template <class Question, class Name>
std::string sorted_out(const std::vector<Question>& questions, const Name& name) {
  std::map<std::string_view, std::vector<std::string>> by_verdict;
  for (const Question& question : questions)
    by_verdict[to_text(question.verdict)].push_back(name(question));
  std::string text;
  for (const auto& [verdict, names] : by_verdict)
    text += fmt::format("{} {}: {}", text.empty() ? "" : ";", verdict, fmt::join(names, ", "));
  return text;
}

}  // namespace

std::string summary(const Comparison& comparison, std::size_t trials, std::size_t unfinished) {
  std::string text;
  if (!comparison.effects.empty()) {
    text = fmt::format(
        "Effects of on against off, in {}:{}.", comparison.metric,
        sorted_out(comparison.effects, [](const EffectEstimate& effect) { return effect.name; }));
  } else if (comparison.arms.size() == 1) {
    text = comparison.arms.front().sentence + ".";
  } else {
    text =
        fmt::format("Against {}, in {}:{}.", comparison.baseline, comparison.metric,
                    sorted_out(comparison.arms, [](const ArmComparison& arm) { return arm.arm; }));
  }
  if (unfinished == 0) return text;
  return text + fmt::format(" {} of {} trials {} not done, so this may still change.", unfinished,
                            trials, unfinished == 1 ? "is" : "are");
}

}  // namespace paribus::stats
