// SPDX-License-Identifier: Apache-2.0
#include "compare_command.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>

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

std::string with_half_width(const stats::Paired& paired) {
  if (std::isnan(paired.mean)) return "-";
  const double half = (paired.high - paired.low) / 2;
  return std::isnan(half) ? fmt::format("{:+.4g}", paired.mean)
                          : fmt::format("{:+.4g} ± {:.2g}", paired.mean, half);
}

json to_json(const stats::ArmComparison& arm) {
  json excluded = json::array();
  for (const auto& one : arm.excluded)
    excluded.push_back({{"seed", one.seed}, {"reason", one.reason}});
  return {{"arm", arm.arm},
          {"n", arm.paired.n},
          {"seeds", arm.seeds},
          {"excluded", excluded},
          {"baseline_mean", json_number(arm.baseline_mean)},
          {"arm_mean", json_number(arm.arm_mean)},
          {"difference", json_number(arm.paired.mean)},
          {"sd", json_number(arm.paired.sd)},
          {"low", json_number(arm.paired.low)},
          {"high", json_number(arm.paired.high)},
          {"t", json_number(arm.paired.t)},
          {"p_t", json_number(arm.paired.p_t)},
          {"p_permutation", json_number(arm.paired.p_permutation)},
          {"p", json_number(arm.p)},
          {"p_holm", json_number(arm.p_holm)},
          {"smallest_p", stats::smallest_p(arm.paired.n)},
          {"verdict", stats::to_text(arm.verdict)},
          {"sentence", arm.sentence}};
}

json to_json(const stats::Comparison& comparison) {
  json arms = json::array();
  for (const auto& arm : comparison.arms) arms.push_back(to_json(arm));
  return {{"metric", comparison.metric},
          {"unit", comparison.unit},
          {"goal", comparison.goal},
          {"test", comparison.test},
          {"at", comparison.at},
          {"baseline", comparison.baseline},
          {"alpha", comparison.alpha},
          {"margin", comparison.margin ? json(*comparison.margin) : json()},
          {"arms", arms},
          {"sentence", comparison.sentence}};
}

void print_excluded(const stats::Comparison& comparison, std::FILE* out) {
  for (const auto& arm : comparison.arms) {
    for (const auto& one : arm.excluded) {
      fmt::print(out, "not counted: seed {} of {}: {}\n", one.seed, safe_text(arm.arm),
                 safe_text(one.reason));
    }
  }
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
  const std::string level = fmt::format("{:.4g} %", 100 * (1 - comparison.alpha));
  fmt::print(out, "{}, {} value, against {}; {} intervals, {} test\n\n",
             with_unit(comparison.metric, comparison.unit), comparison.at,
             safe_text(comparison.baseline), level,
             comparison.test == "t" ? "paired t-" : "paired permutation");
  TextTable table;
  table.add_column("arm");
  for (const char* title : {"seeds", "baseline", "mean", "difference", "p", "p (Holm)"}) {
    table.add_column(title, Align::right);
  }
  table.add_column("verdict");
  for (const auto& arm : comparison.arms) {
    table.add_row({arm.arm, fmt::format("{}", arm.paired.n), number(arm.baseline_mean),
                   number(arm.arm_mean), with_half_width(arm.paired), number(arm.p, "{:.3g}"),
                   number(arm.p_holm, "{:.3g}"), std::string(stats::to_text(arm.verdict))});
  }
  table.print(out);
  fmt::print(out, "\n");
  print_excluded(comparison, out);
  if (comparison.arms.size() > 1) {
    for (const auto& arm : comparison.arms) fmt::print(out, "{}.\n", safe_text(arm.sentence));
  }
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
