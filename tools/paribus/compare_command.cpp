// SPDX-License-Identifier: Apache-2.0
#include "compare_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "picture.h"
#include "stats/across.h"
#include "stats/comparison_json.h"
#include "study_reader.h"
#include "table.h"

namespace paribus {
namespace {

using Align = TextTable::Align;

constexpr std::size_t kMostLines = 12;  // of one list on the screen; --json has all

struct Options {
  std::vector<std::string> dirs;
  std::string metric;
  bool as_json = false;
  Picture picture;
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
             100 * (1 - comparison.alpha), stats::test_name(comparison),
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

/// "optimizer.lr: 0.1, was 0.01"
std::string in_words(const stats::Change& change) {
  const auto text = [](const std::string& value) { return value.empty() ? "nothing" : value; };
  return fmt::format("{}: {}, was {}", change.key, text(change.after), text(change.before));
}

void print_lines(const std::string& of, const std::vector<std::string>& lines, std::FILE* out) {
  if (lines.empty()) return;
  fmt::print(out, "{}\n", safe_text(of));
  for (std::size_t i = 0; i < std::min(lines.size(), kMostLines); ++i)
    fmt::print(out, "  {}\n", safe_text(lines[i]));
  if (lines.size() > kMostLines)
    fmt::print(out, "  and {} more: --json\n", lines.size() - kMostLines);
}

void print_changes(const std::string& of, const std::vector<stats::Change>& changes,
                   std::FILE* out) {
  std::vector<std::string> lines;
  for (const stats::Change& change : changes) lines.push_back(in_words(change));
  print_lines(of, lines, out);
}

/// What differs besides the results: once, where it is the same for all arms of a study.
void print_differences(const stats::Across& across, std::FILE* out) {
  const std::string& first = across.labels.front();
  print_lines("not compared, without an arm of that name in " + first + " or elsewhere:",
              across.unmatched, out);
  for (std::size_t i = 1; i < across.labels.size(); ++i) {
    const std::string& label = across.labels[i];
    print_changes(label + " was run with", across.settings[i - 1], out);
    std::vector<const stats::Pairing*> own;
    for (const stats::Pairing& one : across.pairings) {
      if (one.study == i) own.push_back(&one);
    }
    const bool alike = std::all_of(own.begin(), own.end(), [&](const stats::Pairing* one) {
      return one->changes == own.front()->changes;
    });
    for (const stats::Pairing* one : own) {
      print_changes(label + (alike ? "" : "/" + one->arm) + " is configured with", one->changes,
                    out);
      if (alike) break;
    }
  }
}

void print_across(const stats::Across& across, std::FILE* out) {
  const stats::Comparison& comparison = across.comparison;
  const std::string first = safe_text(across.labels.front());
  print_heading(comparison, "arm by arm against " + first, out);
  TextTable table;
  table.add_column("arm");
  table.add_column("study");
  for (const std::string& title :
       {std::string("seeds"), across.labels.front(), std::string("mean"), std::string("difference"),
        std::string("p"), std::string("p (Holm)")})
    table.add_column(title, Align::right);
  table.add_column("verdict");
  for (std::size_t i = 0; i < across.pairings.size(); ++i) {
    const stats::ArmComparison& arm = comparison.arms[i];
    table.add_row({across.pairings[i].arm, across.labels[across.pairings[i].study],
                   fmt::format("{}", arm.paired.n), number(arm.baseline_mean), number(arm.arm_mean),
                   difference(comparison, arm.paired), number(arm.p, "{:.3g}"),
                   number(arm.p_holm, "{:.3g}"), std::string(stats::to_text(arm.verdict))});
  }
  table.print(out);
  fmt::print(out, "\n");
  for (const auto& arm : comparison.arms) print_excluded(" of " + arm.arm, arm.excluded, out);
  print_differences(across, out);
  for (const auto& arm : comparison.arms) fmt::print(out, "{}.\n", safe_text(arm.sentence));
  if (comparison.arms.size() > 1) fmt::print(out, "{}\n", safe_text(comparison.sentence));
}

nlohmann::json to_json(const std::vector<stats::Change>& changes) {
  nlohmann::json all = nlohmann::json::array();
  for (const stats::Change& one : changes)
    all.push_back({{"key", one.key}, {"before", one.before}, {"after", one.after}});
  return all;
}

nlohmann::json to_json(const stats::Across& across, const std::vector<std::string>& dirs) {
  nlohmann::json result = stats::to_json(across.comparison), studies = nlohmann::json::array();
  for (std::size_t i = 0; i < dirs.size(); ++i) {
    studies.push_back(
        {{"label", across.labels[i]},
         {"dir", dirs[i]},
         {"changes", i == 0 ? nlohmann::json::array() : to_json(across.settings[i - 1])}});
  }
  for (std::size_t i = 0; i < across.pairings.size(); ++i) {
    const stats::Pairing& one = across.pairings[i];
    result["arms"][i].update(
        {{"arm", one.arm}, {"study", across.labels[one.study]}, {"changes", to_json(one.changes)}});
  }
  result.update({{"studies", studies}, {"unmatched", across.unmatched}});
  result.erase("effects");
  return result;
}

void draw(const Options& options, const nlohmann::json& numbers) {
  if (options.as_json ? options.picture.is_asked_for() : options.picture.wanted())
    options.picture.draw("comparison", numbers);
}

int compare_several(const Options& options) {
  std::vector<results::StudyRecord> studies;
  for (const std::string& dir : options.dirs) studies.push_back(read_study_aloud(dir));
  const stats::Across across = stats::across(studies, options.metric);
  const nlohmann::json numbers = to_json(across, options.dirs);
  options.as_json ? print_json(numbers) : print_across(across, stdout);
  draw(options, numbers);
  return 0;
}

int compare(const Options& options) {
  options.picture.check();
  if (options.dirs.size() > 1) return compare_several(options);
  const auto study = read_study_aloud(options.dirs.front());
  const auto comparison =
      stats::compare(study, options.metric.empty() ? study.metric : options.metric);
  const nlohmann::json numbers = stats::to_json(comparison);
  if (options.as_json) {
    print_json(numbers);
  } else {
    if (!study.question.empty()) fmt::print("{}\n\n", bold(safe_text(study.question), stdout));
    print_comparison(comparison, stdout);
  }
  draw(options, numbers);
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
  command
      ->add_option("DIR", options->dirs,
                   "a study's directory; of several, each arm against its namesake in the first")
      ->required()
      ->type_name("")
      ->expected(1, 64);
  command->add_option("--metric", options->metric, "default: the metric of the study")
      ->type_name("METRIC");
  options->picture.add_option(*command);
  command->add_flag("--json", options->as_json, "every number, for programs");
  command->callback(
      [options, &exit_status] { exit_status = guarded([&] { return compare(*options); }); });
}

}  // namespace paribus
