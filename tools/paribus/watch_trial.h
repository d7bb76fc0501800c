// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/report/thin.h"

namespace paribus {

/// A series of a trial, cut down as it comes: as many buckets as a screen can show, whatever the
/// number of its points. Neither its least nor its greatest value is lost.
struct WatchedSeries {
  std::string name, unit;
  report::Thin curve;
  std::int64_t last_step = 0;
  std::optional<double> last;  // not finite where that was measured

  /// Steps must grow; what was there before is passed over.
  void add(const std::vector<std::int64_t>& steps, const std::vector<double>& values);
};

/// Follows the journal of one trial while another process writes it: each call reads what is new,
/// in pieces, so memory does not grow with the journal. It never locks anything.
class WatchedTrial {
 public:
  /// `metric`: that of the study, which is kept whatever its name is.
  WatchedTrial(std::filesystem::path journal, std::string metric)
      : journal_(std::move(journal)), metric_(std::move(metric)) {}

  /// Reads on, about `most` bytes of it. False where nothing more is there. Throws Error if it
  /// can't be read or isn't a journal.
  bool read_on(std::size_t most);

  [[nodiscard]] const std::map<std::string, WatchedSeries, std::less<>>& series() const {
    return series_;
  }
  [[nodiscard]] const WatchedSeries* find(std::string_view name) const;
  /// The last step that it made, counted as the trial does after a resume.
  [[nodiscard]] std::int64_t step() const { return step_; }
  [[nodiscard]] std::optional<double> steps_per_epoch() const { return steps_per_epoch_; }
  /// Steps per second: over the last few that were written, at first since its process began. 0
  /// where that isn't known.
  [[nodiscard]] double rate() const;
  /// Where it stopped making sense; "" if nowhere. A record that is being written is no problem.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// The process that it says to be, or 0.
  [[nodiscard]] int pid() const { return pid_; }

 private:
  void take(std::uint8_t type, std::string_view payload);
  void take_event(std::string_view payload);
  void take_points(std::string_view payload);
  void begin_anew();

  std::filesystem::path journal_;
  std::string metric_;
  std::uint64_t at_ = 0, inode_ = 0;
  std::string last_;  // the bytes before `at_`, by which a journal made anew is told
  std::vector<std::string> names_;
  std::map<std::string, WatchedSeries, std::less<>> series_;
  std::optional<double> steps_per_epoch_;
  std::int64_t step_ = 0, first_step_ = 0;  // now; when its process began
  double began_ = 0, changed_ = 0;
  int pid_ = 0;
  std::string problem_;
  std::deque<std::pair<double, std::int64_t>> seen_;  // when, at which step
};

}  // namespace paribus
