// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "driver/directory.h"
#include "driver/engine.h"
#include "driver/observer.h"
#include "driver/trial.h"
#include "journal/journal.h"

namespace paribus::driver {

/// How a run went.
struct Tally {
  std::size_t done = 0, failed = 0, stopped = 0, not_started = 0;
  bool interrupted = false;
};

/// Runs trials in the order given, `at_once` side by side, each in a process of its own. One that
/// fails stops no other. The first Ctrl-C stops all at their next step, to be resumed; the second
/// kills them.
class Scheduler {
 public:
  Scheduler(Engine& engine, const StudyDirectory& directory, journal::Writer& log,
            Observer& observer, const Limits& limits = {}, bool exec = false)
      : engine_(engine),
        directory_(directory),
        log_(log),
        observer_(observer),
        limits_(limits),
        exec_(exec) {}

  /// `metric`: what trials show as their progress. Throws WorkerLost if the worker dies; what ran
  /// can be resumed.
  Tally run(const std::vector<Trial>& trials, std::size_t at_once, const std::string& metric);

 private:
  struct Running {
    const Trial* trial = nullptr;
    int slot = 0;
  };

  void start(const Trial& trial, const std::string& metric);
  void handle(const nlohmann::json& event);
  void end(const Trial& trial, const Outcome& outcome);
  void heed_interrupts();
  void ask_all_to_stop();
  std::string last_line(const std::string& trial) const;

  Engine& engine_;
  const StudyDirectory& directory_;
  journal::Writer& log_;
  Observer& observer_;
  const Limits limits_;                     // of each trial
  const bool exec_;                         // in a fresh process, not a fork
  std::map<std::string, Running> running_;  // by id
  Tally tally_;
  bool stopping_ = false, killed_ = false;
};

}  // namespace paribus::driver
