// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "driver/progress.h"
#include "driver/work.h"

namespace paribus::driver {

/// What a run is about to do; what work there is, `planned` tells.
struct RunStart {
  std::size_t trials = 0;       // to be run, as far as it is known
  std::size_t done_before = 0;  // of the study
  bool grows = false;           // a search, or a comparison, decides as it goes what is run
  std::string metric;           // whose latest value each trial shows
};

/// Watches a run; what it does changes nothing of it. All calls come from the driver's one thread.
class Observer {
 public:
  virtual ~Observer() = default;

  /// One line about what goes on before the first step.
  virtual void note(std::string_view /*line*/) {}
  /// A data file is being fetched; `got == total` once at the end.
  virtual void fetching(const std::string& /*file*/, std::int64_t /*got*/, std::int64_t /*total*/) {
  }
  /// Before the first trial.
  virtual void begin(const RunStart& /*start*/) {}
  /// Work is waiting that wasn't before.
  virtual void planned(const Work& /*work*/) {}
  /// Both are valid until `ended`, which gets the same trial; the slot changes.
  virtual void started(const Trial& /*trial*/, const ProgressSlot& /*slot*/) {}
  virtual void ended(const Trial& /*trial*/, const Outcome& /*outcome*/) {}
  /// Ten times a second or so while trials run.
  virtual void tick() {}
  /// After the last trial, also when the run was interrupted.
  virtual void finish() {}
};

}  // namespace paribus::driver
