// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "uplink/batch.h"

namespace paribus::uplink {

/// What was sampled of a trial, and of the machine at the same moments: in order of time, whole
/// samples only.
struct SystemBatch {
  struct Point {
    std::string metric, unit;  // `system/cpu`, `system/trial.cpu`
    std::int64_t step = 0;     // seconds since the study first ran
    double value = 0;
  };
  std::vector<Point> points;
  double started = 0;      // when the study first ran, seconds since 1970
  std::int64_t until = 0;  // the last sample's time, seconds since 1970; 0: there are no points
};

/// `journal/system.log`, read on as it grows. It has one series of steps for all trials, so how far
/// it was delivered is, for each trial, the time of a sample. What is kept of it is where things
/// are: samples themselves are read again when they are wanted. Safe to use from several threads.
class SystemLog {
 public:
  explicit SystemLog(const std::filesystem::path& dir);

  /// What stands there of a trial after time `after`, about `most` points, or all up to time
  /// `until` where that is not 0. A file that can't be read holds nothing.
  SystemBatch of(const std::string& trial, std::int64_t after, std::size_t most,
                 std::int64_t until);

 private:
  struct Range {
    std::uint64_t from = 0, to = 0;    // bytes
    std::int64_t first = 0, last = 0;  // steps; a sample may go on in the range behind
  };
  struct Name {
    std::string trial, metric;
  };
  void read_on();
  void add_range(const Batch& batch, std::uint64_t from);
  void name_series();
  bool collect(std::size_t number, const std::string& trial, std::int64_t after, std::size_t most,
               std::int64_t until, SystemBatch& into) const;

  const std::filesystem::path file_;
  std::mutex mutex_;
  Position position_;
  std::vector<Name> names_;  // of each series
  std::vector<Range> ranges_;
  std::map<std::string, std::pair<std::size_t, std::size_t>> where_;  // first and last range
  bool is_bad_ = false;
};

}  // namespace paribus::uplink
