// SPDX-License-Identifier: Apache-2.0
#include "driver/run.h"

#include <algorithm>
#include <set>

#include "driver/plan_event.h"
#include "driver/provenance.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

/// Only if it says something new: a run that changes nothing leaves the log as it is.
void write_plan(journal::Writer& log, const StudyDirectory& directory, const json& plan) {
  const journal::Record record = journal::read(directory.journal("study"));
  const json* last = record.last("plan");
  if (last == nullptr || *last != plan) log.event(plan);
}

std::vector<Trial> missing(const CheckedStudy& checked, const StudyDirectory& directory, bool fresh,
                           RunReport& report) {
  std::vector<Trial> trials;
  std::set<std::string> seen;
  for (const Trial& trial : checked.trials) {
    if (!seen.insert(trial.id).second) continue;  // two arms that are the same trial
    const std::string status = directory.status(trial.id);
    if (status == "done" && !fresh) {
      ++report.done_before;
      continue;
    }
    if (fresh || status == "failed") directory.forget(trial.id);
    trials.push_back(trial);
    trials.back().resumes = !fresh && (status == "stopped" || status == "begun");
  }
  report.trials = seen.size();
  return trials;
}

std::size_t room(const json& machine, const std::vector<Trial>& trials) {
  std::int64_t threads = 1;
  for (const Trial& trial : trials) threads = std::max(threads, trial.threads);
  const std::int64_t cores = std::max<std::int64_t>(1, machine.value("cores", std::int64_t{1}));
  return static_cast<std::size_t>(std::max<std::int64_t>(1, cores / threads));
}

}  // namespace

RunReport run_study(const CheckedStudy& checked, const StudyDirectory& directory, Engine& engine,
                    Observer& observer, const RunOptions& options) {
  RunReport report;
  json lock = lock_of(checked, engine.machine());
  if (!options.resuming) directory.write(StudyDirectory::kStudyFile, checked.study.resolved);
  directory.write("paribus.lock", lock.dump(2, ' ', false, json::error_handler_t::replace) + '\n');
  journal::Writer log(directory.journal("study"));
  json& git = lock["git"];
  if (git.is_object()) git.erase("diff");  // it stands in paribus.lock
  write_plan(log, directory, plan_of(checked, directory.path().filename().string(), lock));
  const std::vector<Trial> trials = missing(checked, directory, options.fresh, report);
  log.sync();
  std::int64_t steps = 0;
  for (const Trial& trial : trials) steps += trial.steps;
  observer.begin({trials.size(), steps, report.done_before, checked.study.metric});
  Scheduler scheduler(engine, directory, log, observer, checked.study.limits, options.exec);
  const std::size_t at_once =
      options.at_once > 0 ? options.at_once : room(engine.machine(), trials);
  report.tally =
      scheduler.run(trials, std::min<std::size_t>(at_once, kProgressSlots), checked.study.metric);
  observer.finish();
  log.sync();
  report.left = report.tally.stopped + report.tally.not_started;
  return report;
}

}  // namespace paribus::driver
