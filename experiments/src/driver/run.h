// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "driver/check.h"
#include "driver/directory.h"
#include "driver/scheduler.h"
#include "uplink/status.h"

namespace paribus::driver {

struct RunReport;

struct RunOptions {
  std::size_t at_once = 0;  // trials side by side; 0: as many as the cores have room for
  bool fresh = false;       // run again what is done
  bool exec = false;        // a fresh process for each trial, not a fork
  bool resuming = false;    // the study is the directory's own study.toml, which stays as it is
  /// Called when the last trial is over; trackers are brought the rest after it, with what it
  /// wrote.
  std::function<void(const RunReport&)> over{};
};

struct RunReport {
  Tally tally;
  std::size_t trials = 0;  // of the study, each once
  std::size_t done_before = 0;
  std::size_t left = 0;  // neither done nor failed now
  std::vector<uplink::Status> trackers;
};

/// Writes the study's directory and runs every trial of it that is not done: those that were
/// stopped go on, those that failed begin anew.
RunReport run_study(CheckedStudy& checked, const StudyDirectory& directory, Engine& engine,
                    Observer& observer, const RunOptions& options);

}  // namespace paribus::driver
