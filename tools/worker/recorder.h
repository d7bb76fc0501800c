// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "disk/budget.h"
#include "driver/progress.h"
#include "journal/journal.h"
#include "paribus/record.h"

namespace paribus::worker {

/// Where a trial is to pause, which of its checkpoints others begin with, and at which steps
/// every tensor is fingerprinted beside those that always are.
struct Marks {
  std::int64_t until = 0;  // step; 0: none
  std::int64_t every = 0;  // steps between checkpoints that are wanted anyway; 0: none
  std::set<std::int64_t> save_at;
  std::int64_t first_full = 0, last_full = -1;
  bool always_full = true;  // each so many steps: not on a GPU, which they would wait for
};

/// Writes to the trial's journal and its progress slot. Where PARIBUS_HOLD_AT says a step, the
/// process stops itself (SIGSTOP) with the first checkpoint from there on: whoever wants to kill a
/// trial in its middle needn't be quick.
class JournalRecorder final : public Recorder {
 public:
  /// `metric`: the series that the slot shows.
  JournalRecorder(const std::filesystem::path& file, std::string metric, driver::ProgressSlot& slot,
                  Marks marks);

  journal::Writer& journal() { return journal_; }
  /// From now on what is written is asked for first; the log on stdout and stderr ends at 1 MiB.
  void keep_to(disk::Budget& budget);
  /// Seconds that training up to a checkpoint took: what is resumed there counts them too.
  void knows(std::map<std::int64_t, double> seconds) { seconds_at_ = std::move(seconds); }
  /// Of training, whichever processes and trials made its steps.
  [[nodiscard]] double seconds() const;

  void point(std::string_view series, std::int64_t step, double value) override;
  void message(std::string_view text) override;
  void histogram(std::string_view name, std::int64_t step, const Histogram& values) override;
  void picture(std::string_view name, std::int64_t step, const Pixels& pixels) override;
  void table(std::string_view name, std::int64_t step, const Columns& columns) override;
  void flush() override { ++slot_.beat, journal_.sync(); }
  void resumed(std::int64_t step) override;
  void before_write(std::int64_t bytes) override;
  void checkpointed(std::int64_t step, const std::string& file) override;
  Wish progress(std::int64_t step, std::int64_t steps, std::int64_t epoch, double loss) override;
  void fingerprint(std::int64_t step, std::uint32_t value) override;
  [[nodiscard]] bool wants_fingerprints(std::int64_t step) const override;
  void fingerprints(std::int64_t step, const Fingerprints& tensors) override;

 private:
  void look_at_log();

  journal::Writer journal_;
  std::string metric_;
  driver::ProgressSlot& slot_;
  const Marks marks_;
  std::int64_t next_mark_;  // the first step at which something is wanted
  std::int64_t hold_at_;    // the step whose checkpoint is followed by no other
  std::map<std::string, std::uint32_t, std::less<>> series_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::map<std::int64_t, double> seconds_at_;  // by step
  double seconds_before_ = 0;                  // of steps that others made
  disk::Budget* budget_ = nullptr;
  std::int64_t log_bytes_ = 0;  // that are booked
  std::int64_t next_look_ = 0;  // at the log; coarse monotonic nanoseconds
};

/// From now on SIGTERM makes `progress` ask for a stop.
void stop_on_sigterm();
/// Whether SIGTERM came.
bool stop_was_asked();

/// The time of day, UTC, as journals have it.
std::string utc_now();

}  // namespace paribus::worker
