// SPDX-License-Identifier: Apache-2.0
#include "ending.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "compare_command.h"
#include "results/arms.h"
#include "results/seal.h"
#include "results/study_record.h"
#include "status_command.h"
#include "sync_command.h"
#include "table.h"
#include "tools/report/report.h"

namespace paribus {

namespace {

using results::ArmSummary;

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.5g}", value) : std::string("-");
}

void print_arms(const results::StudyRecord& study, const std::vector<ArmSummary>& arms) {
  TextTable table;
  table.add_column(study.axes.empty() ? "arm" : "point");
  const std::string mean = with_unit(study.metric, study.unit);
  for (const char* title : {"trials", mean.c_str(), "sd", "least", "greatest"}) {
    table.add_column(title, TextTable::Align::right);
  }
  const bool some_pruned =
      std::any_of(arms.begin(), arms.end(), [](const ArmSummary& arm) { return arm.pruned > 0; });
  if (some_pruned) table.add_column("epochs", TextTable::Align::right);
  for (const ArmSummary& arm : arms) {
    const std::string count = arm.n == arm.trials ? fmt::format("{}", arm.trials)
                                                  : fmt::format("{} of {}", arm.n, arm.trials);
    std::vector<std::string> row{
        arm.arm, count, number(arm.mean), number(arm.sd), number(arm.least), number(arm.greatest)};
    if (some_pruned) row.push_back(number(arm.epochs));
    table.add_row(std::move(row));
  }
  table.print(stdout);
}

/// Of a sweep, whose many points are no arms to be tested one by one.
void print_best(const results::StudyRecord& study, const std::vector<ArmSummary>& arms) {
  const ArmSummary* best = results::best_point(study, arms);
  if (best == nullptr) return;
  fmt::print("\nBest mean {}: {} at {}{}.\n", study.metric, number(best->mean),
             safe_text(best->arm), best->n < 2 ? " (one seed: its noise is not known)" : "");
}

void print_results(const results::StudyRecord& study) {
  const std::vector<ArmSummary> arms = results::arm_summaries(study, study.metric);
  print_arms(study, arms);
  if (!study.axes.empty()) return print_best(study, arms);
  if (arms.size() < 2) return;
  fmt::print("\n");
  print_comparison(stats::compare(study, study.metric), stdout);
}

/// No room for results.h5 is no reason to show nothing.
void seal_aloud(const results::StudyRecord& study) {
  try {
    results::seal(study);
  } catch (const NoSpace& problem) {
    fmt::print(stderr, "{}\n", problem.what());
  }
}

/// Nor is no room for the page, or anything else of it.
void write_page_aloud(const results::StudyRecord& study) {
  try {
    report::write(report::file_of(study), report::page_of(report::data_of(study)), study);
  } catch (const std::exception& problem) {
    const std::string dir = study.dir.string();
    fmt::print(stderr, "{}; no page of {}: paribus report {} --out FILE.html writes it elsewhere\n",
               problem.what(), dir, dir);
  }
}

}  // namespace

/// Results that can't be shown are no reason to lose the run: its journals are the truth. The page
/// comes last, of results that are all there: whoever goes on needs the room.
void show_results(const driver::RunReport& report, const std::filesystem::path& directory,
                  Ending ending) {
  const bool interrupted = report.tally.interrupted;
  try {
    const results::StudyRecord study = results::read_study(directory);
    seal_aloud(study);
    if (interrupted) {
      print_status(results::view_of(study), stderr);
      return;
    }
    print_results(study);
    std::fflush(stdout);
    print_failures(results::view_of(study), stderr);
    if (ending.page && report.left == 0) write_page_aloud(study);
  } catch (const Error& problem) {
    fmt::print(stderr, "{}\n", problem.what());
  }
  std::fflush(stdout);
}

int end_run(const driver::RunReport& report, const std::filesystem::path& directory,
            Ending ending) {
  const driver::Tally& tally = report.tally;
  const std::string dir = directory.string();
  if (tally.failed > 0) {
    fmt::print(
        stderr,
        "{} of {} trials failed; what they wrote is in {}/logs; once mended: paribus resume {}\n",
        tally.failed, report.trials, dir, dir);
  }
  print_trackers_behind(report.trackers, directory);
  if (tally.interrupted) {
    fmt::print(stderr, "interrupted with {} of {} trials left; go on with: paribus resume {}\n",
               report.left, report.trials, dir);
    return 130;
  }
  if (!tally.no_room.empty()) {
    fmt::print(stderr, "{}\n{} of {} trials are left; once there is room: paribus resume {}\n",
               tally.no_room, report.left, report.trials, dir);
  } else if (report.left > 0) {
    fmt::print(stderr, "{} trials were stopped; go on with: paribus resume {}\n", report.left, dir);
  }
  if (!ending.quiet && tally.failed == 0 && report.left == 0) {
    fmt::print(stderr,
               "all of it is in {} (results.h5 is sealed from its journals{}); paribus results {} "
               "shows every trial\n",
               dir, ending.page ? ", report.html shows it" : "", dir);
  }
  return tally.failed > 0 || report.left > 0 ? 1 : 0;
}

}  // namespace paribus
