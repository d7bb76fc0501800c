// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "journal/journal.h"
#include "machine/gpus.h"
#include "machine/readings.h"

namespace paribus::machine {

/// `journal/system.log` within a study's directory: a journal whose steps are whole seconds since
/// the study first ran. Its `start` event has that time; series are the machine's, as `cpu`, and
/// those of trials, as `trials/ID/cpu`.
std::filesystem::path log_path(const std::filesystem::path& dir);

inline constexpr std::string_view kOfTrials = "trials/";

/// The trial of a series and its name there; the trial is "" where the series is the machine's.
struct SeriesName {
  std::string trial, name;
};
SeriesName series_name(std::string_view series);

/// Writes samples of what the machine and the trials under way use. A study that is run again goes
/// on in its file: steps go on by the clock, sums from where they were.
class Sampler {
 public:
  /// Throws Error where the file can't be written, or another process writes it. `now`: seconds
  /// since 1970.
  Sampler(const std::filesystem::path& dir, std::int64_t every, double now,
          const std::filesystem::path& root = "/");

  /// A process has begun to train the trial; what doesn't look like a trial is passed over.
  void begin(const std::string& trial, pid_t pid, double now);
  void end(const std::string& trial);
  /// On file when it returns. Throws Error, or NoSpace, where there is no room for it.
  void sample(double now);
  void sync() { log_.sync(); }
  /// As of journal::Writer.
  void ask_before_writing(std::function<void(std::size_t bytes)> permit) {
    log_.ask_before_writing(std::move(permit));
  }

 private:
  struct Trial {
    pid_t pid = 0;
    std::uint64_t started = 0;     // of the process; 0: not seen yet
    double time = 0, seconds = 0;  // of the reading before
  };
  struct Sum {
    double before = 0, last = 0;  // of processes that are no more; with that of this one
  };

  void take_up(const std::filesystem::path& file, double now, std::int64_t every);
  void put(const std::string& front, const Reading& reading);
  void sample_trial(const std::string& id, Trial& trial, const std::map<pid_t, Process>& all,
                    double now);

  journal::Writer log_;
  std::filesystem::path root_;
  Machine machine_;
  Gpus gpus_;
  std::map<std::string, Trial> trials_;
  std::map<std::string, Sum> sums_;                       // by series
  std::vector<std::pair<std::uint32_t, double>> values_;  // of the sample being taken, by series
  double started_ = 0;
  std::int64_t last_step_ = -1;
};

}  // namespace paribus::machine
