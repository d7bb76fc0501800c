// SPDX-License-Identifier: Apache-2.0
#include "driver/run.h"

#include <algorithm>
#include <memory>

#include "disk/checkpoints.h"
#include "driver/list_source.h"
#include "driver/plan_event.h"
#include "driver/plan_log.h"
#include "driver/provenance.h"
#include "driver/search_source.h"
#include "driver/seed_source.h"
#include "driver/system.h"
#include "driver/uplink.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

/// As many trials as the cores have room for.
std::size_t room(const json& machine, std::int64_t threads) {
  const std::int64_t cores = std::max<std::int64_t>(1, machine.value("cores", std::int64_t{1}));
  return static_cast<std::size_t>(
      std::max<std::int64_t>(1, cores / std::max<std::int64_t>(threads, 1)));
}

Policy policy_of(const Study& study, const RunOptions& options, Engine& engine) {
  Policy policy;
  const std::size_t wanted =
      options.at_once > 0 ? options.at_once : room(engine.machine(), study.threads);
  policy.at_once = std::min<std::size_t>(wanted, kProgressSlots - 1);  // one is for system metrics
  policy.metric = study.metric;
  policy.retries = study.retries;
  policy.limits = study.limits;
  policy.keep = study.keep;
  policy.exec = options.exec;
  return policy;
}

/// What the samples of system metrics take is booked as what trials write is.
SystemAccount account_of(const Study& study, Engine& engine) {
  if (study.limits.disk == 0 || study.system == 0) return {};
  return {study.limits.disk, engine.board().fd(), engine.board().take()};
}

void tell_problem(const std::string& problem, journal::Writer& log, Observer& observer) {
  if (problem.empty()) return;
  observer.note("system metrics: " + problem + "; the trials are none the worse for it");
  try {
    log.event({{"event", "system"}, {"message", problem}});
  } catch (const Error&) {  // no room even for that; it is nothing that a run should end on
  }
}

/// Of confined trials: where they may write, and what is temporary there goes with the run.
class Confined {
 public:
  Confined(const std::filesystem::path& directory, Engine& engine) {
    if (!engine.confines()) return;
    temporary_ = directory / "tmp";
    std::filesystem::create_directories(temporary_);
    engine.confine_to(
        {temporary_, directory / "journal", directory / "logs", directory / "checkpoints"});
  }
  Confined(const Confined&) = delete;
  Confined& operator=(const Confined&) = delete;
  ~Confined() {
    std::error_code ignored;
    if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
  }

 private:
  std::filesystem::path temporary_;
};

}  // namespace

RunReport run_study(CheckedStudy& checked, const StudyDirectory& directory, Engine& engine,
                    Observer& observer, const RunOptions& options) {
  RunReport report;
  const Confined confined(directory.path(), engine);
  json lock = lock_of(checked, engine.machine());
  if (!options.resuming) directory.write(StudyDirectory::kStudyFile, checked.study.resolved);
  directory.write("paribus.lock", lock.dump(2, ' ', false, json::error_handler_t::replace) + '\n');
  journal::Writer log(directory.journal("study"));
  json& git = lock["git"];
  if (git.is_object()) git.erase("diff");  // it stands in paribus.lock
  PlanLog plan(log, directory, checked,
               plan_of(checked, directory.path().filename().string(), lock));
  std::unique_ptr<Source> source;
  std::size_t to_run = 0;
  if (checked.study.adaptive) {
    source =
        std::make_unique<SearchSource>(checked, directory, plan, engine, observer, options.fresh);
  } else {
    Missing first = missing(checked.trials, directory, options.fresh);
    to_run = first.to_run.size();
    report.done_before = first.done;
    report.trials = to_run + first.done;
    if (checked.study.until_decided) {
      source = std::make_unique<SeedSource>(checked, directory, plan, engine, observer,
                                            options.fresh, std::move(first.to_run));
    } else {
      source = std::make_unique<ListSource>(directory, std::move(first.to_run), checked.shared);
    }
  }
  log.sync();
  const bool grows = checked.study.adaptive != nullptr || checked.study.until_decided;
  observer.begin({to_run, report.done_before, grows, checked.study.metric});
  UplinkProcess trackers(
      {directory.path(), checked.study.limits.trackers, /*again=*/false, checked.trackers});
  SystemProcess system(directory.path(), checked.study.system, account_of(checked.study, engine));
  Policy policy = policy_of(checked.study, options, engine);
  policy.tell_process = [&](const std::string& trial, pid_t pid) { system.tell(trial, pid); };
  Scheduler scheduler(engine, directory, log, observer, std::move(policy));
  report.tally = scheduler.run(*source);
  tell_problem(system.finish(), log, observer);
  observer.finish();
  log.sync();
  if (grows) report.trials = std::max(report.trials, checked.trials.size());
  report.left = report.tally.stopped + report.tally.not_started;
  if (report.left == 0 && !report.tally.interrupted)
    disk::tidy_study(directory.path(), /*finished=*/true);
  if (options.over) options.over(report);
  report.trackers = trackers.finish();
  return report;
}

}  // namespace paribus::driver
