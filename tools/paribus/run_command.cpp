// SPDX-License-Identifier: Apache-2.0
#include "run_command.h"

#include <fmt/core.h>

#include <cstdio>
#include <set>

#include "driver/interrupt.h"
#include "driver/run.h"
#include "ending.h"
#include "live.h"
#include "results/study_record.h"

namespace paribus {

namespace {

namespace fs = std::filesystem;

/// Trials that were begun under other ids would silently begin anew: say so, and why that may be.
void warn_if_changed(const driver::CheckedStudy& checked, const fs::path& directory,
                     driver::Observer& observer) {
  const fs::path log = directory / "journal" / "study.log";
  if (!fs::exists(log)) return;  // killed before it began anything
  std::set<std::string> before;
  try {
    for (const results::Trial& trial : results::read_study_plan(directory).trials)
      before.insert(trial.id);
  } catch (const Error&) {
    return;  // killed before it planned anything
  }
  std::size_t changed = 0;
  for (const driver::Trial& trial : checked.trials) changed += before.contains(trial.id) ? 0 : 1;
  if (changed == 0) return;
  observer.note(
      fmt::format("{} of {} trials are not those begun here: a plugin, LibTorch, the data or the "
                  "kind of machine "
                  "has changed since (compare {}); they begin anew",
                  changed, checked.trials.size(), (directory / "paribus.lock").string()));
}

}  // namespace

int run(const RunRequest& request) {
  driver::watch_interrupts();
  const auto display = make_display(request.quiet);
  driver::Engine engine;
  if (request.locked) engine.pin(driver::read_lock(driver::lock_beside(request.study)));
  try {
    driver::CheckedStudy checked =
        driver::check_study(request.study, request.overrides, engine, *display);
    if (request.resuming) warn_if_changed(checked, request.directory, *display);
    const driver::StudyDirectory directory(request.directory);
    const Ending ending{.quiet = request.quiet, .page = !request.no_report};
    const auto show = [&](const driver::RunReport& report) {
      show_results(report, request.directory, ending);
    };
    const driver::RunReport report = driver::run_study(checked, directory, engine, *display,
                                                       {.at_once = request.at_once,
                                                        .fresh = request.fresh,
                                                        .exec = request.isolate == "exec",
                                                        .resuming = request.resuming,
                                                        .over = show});
    return end_run(report, request.directory, ending);
  } catch (const driver::Interrupted&) {
    display->finish();
    fmt::print(stderr, "interrupted before the first step; nothing was written\n");
    return 130;
  } catch (const NoSpace& problem) {  // for study.log; trials end with the worker, to be resumed
    display->finish();
    fmt::print(stderr, "{}\n", problem.what());
    return 1;
  } catch (const driver::WorkerLost& lost) {
    display->finish();
    fmt::print(stderr, "{}\n", lost.what());
    if (fs::exists(request.directory)) {
      fmt::print(stderr, "what was done is kept; go on with: paribus resume {}\n",
                 request.directory.string());
    }
    return 1;
  }
}

void add_isolate_option(CLI::App& command, RunRequest& request) {
  command
      .add_option("--isolate", request.isolate,
                  "fork: trials share what is loaded (default); exec: each a fresh process")
      ->check(CLI::IsMember({"fork", "exec"}))
      ->type_name("HOW");
}

void add_report_option(CLI::App& command, RunRequest& request) {
  command.add_flag("--no-report", request.no_report, "leave out the page, report.html");
}

void add_locked_option(CLI::App& command, bool& locked) {
  command.add_flag("--locked", locked,
                   "load only plugins that have the sums in paribus.lock beside the study's file");
}

void add_run_command(CLI::App& app, int& exit_status) {
  CLI::App* command =
      app.add_subcommand("run", "check a study, run the trials that are missing, show the results");
  auto request = std::make_shared<RunRequest>();
  command->add_option("STUDY.toml", request->study, "the study's file (TOML)")
      ->required()
      ->type_name("");
  command
      ->add_option("-j,--jobs", request->at_once,
                   "trials side by side (default: cores / threads of a trial)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command
      ->add_option("-s,--set", request->overrides,
                   "override one key of the study; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  command
      ->add_option("--dir", request->directory,
                   "the study's directory (default: runs/<name of the file>)")
      ->type_name("DIR");
  command->add_flag("--fresh", request->fresh, "run again what is done already");
  add_isolate_option(*command, *request);
  add_locked_option(*command, request->locked);
  add_report_option(*command, *request);
  command->add_flag("-q,--quiet", request->quiet, "no progress, only failures and the results");
  command->callback([request, &exit_status] {
    if (request->directory.empty()) request->directory = driver::default_directory(request->study);
    exit_status = run(*request);
  });
}

}  // namespace paribus
