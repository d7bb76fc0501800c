// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "driver/directory.h"
#include "driver/engine.h"
#include "driver/observer.h"
#include "driver/trial.h"
#include "driver/work.h"
#include "journal/journal.h"

namespace paribus::driver {

/// How a run went.
struct Tally {
  std::size_t done = 0, paused = 0, failed = 0, stopped = 0, not_started = 0;
  bool interrupted = false;
  std::string no_room;  // why no more trials were started: the disk, or its budget, is full
};

/// How trials are run; none of it changes a number.
struct Policy {
  std::size_t at_once = 1;
  std::string metric;        // that trials show as their progress
  std::int64_t retries = 0;  // of a trial whose process crashed, hung or was killed
  Limits limits;
  std::string keep = "final";
  bool exec = false;  // a fresh process for each trial, not a fork
  /// Hears of each trial's process when it has begun, and (-1) when it has ended.
  std::function<void(const std::string& trial, pid_t pid)> tell_process{};
};

/// Runs what a source gives, in its order, some side by side, each in a process of its own. A trial
/// that fails stops no other. The first Ctrl-C stops all at their next step, to be resumed; the
/// second kills them.
class Scheduler {
 public:
  Scheduler(Engine& engine, const StudyDirectory& directory, journal::Writer& log,
            Observer& observer, Policy policy)
      : engine_(engine),
        directory_(directory),
        log_(log),
        observer_(observer),
        policy_(std::move(policy)) {}

  /// Throws WorkerLost if the worker dies time and again; what ran can be resumed.
  Tally run(Source& source);

 private:
  struct Running {
    Work work;
    int slot = 0;
  };

  void take_more(Source& source);
  void start_what_can();
  [[nodiscard]] bool can_start(const Work& work) const;
  void start(Work work);
  void handle(const nlohmann::json& event, Source& source);
  void end(std::map<std::string, Running>::iterator entry, const Outcome& outcome, Source& source);
  bool is_tried_again(const Work& work, const Outcome& outcome);
  void restart_worker(const WorkerLost& lost);
  void heed_full_disk(const nlohmann::json& end);
  void tell_process(const std::string& trial, pid_t pid) const;
  void heed_interrupts();
  void ask_all_to_stop();
  std::string last_line(const std::string& trial) const;

  Engine& engine_;
  const StudyDirectory& directory_;
  journal::Writer& log_;
  Observer& observer_;
  const Policy policy_;
  std::list<Work> queue_;
  std::map<std::string, Running> running_;     // by id
  std::map<std::string, std::int64_t> tries_;  // after the first, by id
  std::size_t lost_in_a_row_ = 0;
  Source* source_ = nullptr;
  Tally tally_;
  bool stopping_ = false;  // no more trials are started
  bool asked_ = false;     // those that run were asked to stop
  bool killed_ = false;
};

}  // namespace paribus::driver
