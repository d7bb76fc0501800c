// SPDX-License-Identifier: Apache-2.0
#include "compare_command.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "stats/sequential.h"
#include "study_reader.h"
#include "table.h"

namespace paribus {
namespace {

using nlohmann::json;
using Align = TextTable::Align;

struct Options {
  std::string dir, metric;
  bool as_json = false;
};

std::string number(double value, const char* format = "{:.5g}") {
  return std::isnan(value) ? "-" : fmt::format(fmt::runtime(format), value);
}

/// The ends of an interval that has no middle to speak of; none yet where they are infinite.
std::string with_ends(const stats::Paired& paired) {
  if (std::isnan(paired.mean)) return "-";
  if (!std::isfinite(paired.high - paired.low)) return fmt::format("{:+.4g}", paired.mean);
  return fmt::format("{:+.4g} [{:+.3g}, {:+.3g}]", paired.mean, paired.low, paired.high);
}

std::string with_half_width(const stats::Paired& paired) {
  if (std::isnan(paired.mean)) return "-";
  const double half = (paired.high - paired.low) / 2;
  return std::isnan(half) ? fmt::format("{:+.4g}", paired.mean)
                          : fmt::format("{:+.4g} ± {:.2g}", paired.mean, half);
}

const char* test_name(const stats::Comparison& comparison) {
  if (comparison.anytime) return comparison.test == "t" ? "anytime-valid t-test" : "betting test";
  return comparison.test == "t" ? "paired t-test" : "paired permutation test";
}

double smallest_p(const stats::Comparison& comparison, std::size_t n) {
  return comparison.anytime ? stats::smallest_anytime_p(comparison.test, n) : stats::smallest_p(n);
}

json to_json(const stats::Comparison& comparison, const stats::Tested& question) {
  json excluded = json::array();
  for (const auto& one : question.excluded)
    excluded.push_back({{"seed", one.seed}, {"reason", one.reason}});
  const stats::Paired& paired = question.paired;
  return {{"n", paired.n},
          {"seeds", question.seeds},
          {"excluded", excluded},
          {"sd", json_number(paired.sd)},
          {"low", json_number(paired.low)},
          {"high", json_number(paired.high)},
          {"t", json_number(paired.t)},
          {"p_t", json_number(paired.p_t)},
          {"p_permutation", json_number(paired.p_permutation)},
          {"p", json_number(question.p)},
          {"p_holm", json_number(question.p_holm)},
          {"smallest_p", smallest_p(comparison, paired.n)},
          {"verdict", stats::to_text(question.verdict)},
          {"sentence", question.sentence}};
}

json arm_json(const stats::Comparison& comparison, const stats::ArmComparison& arm) {
  json row = to_json(comparison, arm);
  row.update({{"arm", arm.arm},
              {"baseline_mean", json_number(arm.baseline_mean)},
              {"arm_mean", json_number(arm.arm_mean)},
              {"difference", json_number(arm.paired.mean)}});
  return row;
}

json effect_json(const stats::Comparison& comparison, const stats::EffectEstimate& effect) {
  json row = to_json(comparison, effect);
  row.update({{"effect", effect.name},
              {"order", effect.order},
              {"aliases", effect.aliases},
              {"estimate", json_number(effect.paired.mean)}});
  return row;
}

json to_json(const stats::Comparison& comparison) {
  json arms = json::array(), effects = json::array();
  for (const auto& arm : comparison.arms) arms.push_back(arm_json(comparison, arm));
  for (const auto& effect : comparison.effects) effects.push_back(effect_json(comparison, effect));
  return {{"metric", comparison.metric},
          {"unit", comparison.unit},
          {"goal", comparison.goal},
          {"test", comparison.test},
          {"at", comparison.at},
          {"baseline", comparison.baseline},
          {"alpha", comparison.alpha},
          {"margin", comparison.margin ? json(*comparison.margin) : json()},
          {"anytime", comparison.anytime},
          {"arms", arms},
          {"effects", effects},
          {"sentence", comparison.sentence}};
}

void print_excluded(const std::string& of, const std::vector<stats::Excluded>& excluded,
                    std::FILE* out) {
  for (const auto& one : excluded)
    fmt::print(out, "not counted: seed {}{}: {}\n", one.seed, safe_text(of), safe_text(one.reason));
}

std::string difference(const stats::Comparison& comparison, const stats::Paired& paired) {
  return comparison.anytime ? with_ends(paired) : with_half_width(paired);
}

void print_heading(const stats::Comparison& comparison, const std::string& against,
                   std::FILE* out) {
  fmt::print(out, "{}, {} value, {}; {:.4g} % intervals, {}{}\n\n",
             with_unit(comparison.metric, comparison.unit), comparison.at, against,
             100 * (1 - comparison.alpha), test_name(comparison),
             comparison.anytime ? "; both hold at every look, seed by seed" : "");
}

void print_arms(const stats::Comparison& comparison, std::FILE* out) {
  print_heading(comparison, "against " + safe_text(comparison.baseline), out);
  TextTable table;
  table.add_column("arm");
  for (const char* title : {"seeds", "baseline", "mean", "difference", "p", "p (Holm)"}) {
    table.add_column(title, Align::right);
  }
  table.add_column("verdict");
  for (const auto& arm : comparison.arms) {
    table.add_row({arm.arm, fmt::format("{}", arm.paired.n), number(arm.baseline_mean),
                   number(arm.arm_mean), difference(comparison, arm.paired),
                   number(arm.p, "{:.3g}"), number(arm.p_holm, "{:.3g}"),
                   std::string(stats::to_text(arm.verdict))});
  }
  table.print(out);
  fmt::print(out, "\n");
  for (const auto& arm : comparison.arms) print_excluded(" of " + arm.arm, arm.excluded, out);
  if (comparison.arms.size() < 2) return;
  for (const auto& arm : comparison.arms) fmt::print(out, "{}.\n", safe_text(arm.sentence));
}

void print_effects(const stats::Comparison& comparison, std::FILE* out) {
  print_heading(comparison,
                fmt::format("effects of on against off over {} arms", comparison.arms.size() + 1),
                out);
  TextTable table;
  table.add_column("effect");
  for (const char* title : {"seeds", "estimate", "p", "p (Holm)"}) {
    table.add_column(title, Align::right);
  }
  table.add_column("verdict");
  for (const auto& effect : comparison.effects) {
    table.add_row({effect.name, fmt::format("{}", effect.paired.n),
                   difference(comparison, effect.paired), number(effect.p, "{:.3g}"),
                   number(effect.p_holm, "{:.3g}"), std::string(stats::to_text(effect.verdict))});
  }
  table.print(out);
  fmt::print(out, "\n");
  print_excluded("", comparison.effects.front().excluded, out);
  for (const auto& effect : comparison.effects)
    fmt::print(out, "{}.\n", safe_text(effect.sentence));
}

int compare(const Options& options) {
  const auto study = read_study_aloud(options.dir);
  const auto comparison =
      stats::compare(study, options.metric.empty() ? study.metric : options.metric);
  if (options.as_json) {
    print_json(to_json(comparison));
    return 0;
  }
  if (!study.question.empty()) fmt::print("{}\n\n", bold(safe_text(study.question), stdout));
  print_comparison(comparison, stdout);
  return 0;
}

}  // namespace

void print_comparison(const stats::Comparison& comparison, std::FILE* out) {
  comparison.effects.empty() ? print_arms(comparison, out) : print_effects(comparison, out);
  fmt::print(out, "{}\n", safe_text(comparison.sentence));
}

void add_compare_command(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("compare", "arms against the baseline: difference, interval, p, verdict");
  command->add_option("DIR", options->dir, "a study's directory")->required()->type_name("");
  command->add_option("--metric", options->metric, "default: the metric of the study")
      ->type_name("METRIC");
  command->add_flag("--json", options->as_json, "every number, for programs");
  command->callback(
      [options, &exit_status] { exit_status = guarded([&] { return compare(*options); }); });
}

}  // namespace paribus
