// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "results/cache.h"
#include "results/plan.h"
#include "uplink/status.h"
#include "watch_trial.h"

namespace paribus {

/// A study that other processes run, as its directory shows it. It reads and nothing else: no lock
/// is taken and no file written, and each call reads what has come since the one before.
class WatchedStudy {
 public:
  /// Throws Error as results::read_study does.
  explicit WatchedStudy(std::filesystem::path dir);

  /// Brings everything up to now. False where journals of running trials have more than was read in
  /// one call.
  bool refresh();

  /// Its trials with their statuses; what running ones measured is in `running`.
  [[nodiscard]] const results::StudyRecord& record() const { return study_; }
  [[nodiscard]] bool is_driven() const { return is_driven_; }
  [[nodiscard]] const std::vector<uplink::Status>& trackers() const { return trackers_; }
  [[nodiscard]] std::size_t count(results::Status status) const {
    return counts_[static_cast<std::size_t>(status)];
  }
  /// A trial's journal as far as it was read; null where it is not followed.
  [[nodiscard]] const WatchedTrial* followed(std::size_t row) const;
  /// Has this trial followed too, for its curve; it stays the only one besides those that run.
  /// True if its journal is still to be read, by the next `refresh`.
  bool follow(std::size_t row) {
    selected_ = row;
    return row != kNone && !followed(row);
  }
  /// All steps that a trial is to make; 0 where that is not known.
  [[nodiscard]] double steps_of(std::size_t row) const;

  /// Part of all steps that are made; failed and pruned trials make no more.
  [[nodiscard]] double fraction() const { return fraction_; }
  /// Until the last trial ends, at the pace of those that run; 0 where that is not known.
  [[nodiscard]] double seconds_left() const { return seconds_left_; }
  /// What is wrong with journals, one sentence each.
  [[nodiscard]] std::vector<std::string> problems() const;

  static constexpr std::size_t kNone = SIZE_MAX;

 private:
  void read_log();
  void take(const nlohmann::json& event);
  void number_trials();
  void find_started();
  void look(std::size_t row);
  bool follow_all();
  void sum_up();

  std::filesystem::path dir_;
  results::StudyRecord study_;
  std::size_t offset_ = 0;  // in study.log
  std::uint64_t inode_ = 0;
  bool has_plan_ = false, is_driven_ = false;
  std::map<std::string, results::Exit, std::less<>> exits_;         // of trials that aren't done
  std::unordered_map<std::string, std::vector<std::size_t>> rows_;  // by id; two arms may share one
  std::size_t numbered_ = 0;
  std::vector<bool> is_told_;  // the log has news of it
  results::FileMark folder_;
  std::map<std::size_t, WatchedTrial> followed_;
  std::map<std::size_t, std::string> unreadable_;
  std::size_t selected_ = kNone;
  std::vector<uplink::Status> trackers_;
  std::array<std::size_t, std::size(results::kStatuses)> counts_{};
  double fraction_ = 0, seconds_left_ = 0;
};

}  // namespace paribus
