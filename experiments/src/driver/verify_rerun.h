// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "driver/engine.h"
#include "driver/observer.h"
#include "driver/trial.h"
#include "journal/journal.h"

namespace paribus::driver {

/// A folder for the time of its object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// One more run of a trial that is recorded elsewhere.
struct Rerun {
  const Trial* trial = nullptr;
  std::string suffix;                          // to its id, if it runs more than once
  std::int64_t first_full = 0, last_full = 0;  // steps of which every tensor is fingerprinted
  bool stops = false;                          // after last_full
};

/// Runs trials in a folder of its own, `at_once` side by side, each in a process of its own.
class Rerunner {
 public:
  Rerunner(Engine& engine, Observer& observer, std::string metric)
      : engine_(engine), observer_(observer), metric_(std::move(metric)) {}

  /// What each run recorded, told as it ends, with how it ended; its files are gone then. Throws
  /// Interrupted on Ctrl-C, with all processes ended, and WorkerLost.
  using Ended =
      std::function<void(const Rerun& run, const Outcome& outcome, const journal::Record& record)>;
  void run(const std::vector<Rerun>& runs, std::size_t at_once, const Ended& ended);

 private:
  struct Running {
    const Rerun* run = nullptr;
    int slot = 0;
  };

  void start(const Rerun& run, const Ended& ended);
  void handle(const nlohmann::json& event, const Ended& ended);
  void end(const std::string& name, const Outcome& outcome, const Ended& ended);

  Engine& engine_;
  Observer& observer_;
  std::string metric_;
  TemporaryFolder folder_;
  std::map<std::string, Running> running_;  // by name
};

}  // namespace paribus::driver
