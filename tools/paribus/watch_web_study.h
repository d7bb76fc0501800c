// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/report/curves.h"
#include "watch_study.h"

namespace paribus {

/// A part of the report's data that changes by itself: `[["curves", "metrics", 0, "arms", 1],
/// ...]`, its place and what stands there. What is a part of its own inside it is null there.
struct WebPiece {
  std::uint64_t version = 0;  // of the look at which it became so
  std::shared_ptr<const std::string> text;
};

/// What one look found. Never changed once made, so threads may share it.
struct WebLook {
  std::uint64_t version = 0;     // grows where anything of the data changed
  std::vector<WebPiece> pieces;  // all, in no order
  std::string state;             // JSON: when, whether it is run, how far it is, what is wrong
  double seconds = 0;            // that it took
  bool is_whole = true;          // false: journals have more than was read at once
};

/// The report's data of a study that grows. Each look reads what is new; curves of trials that
/// ended are kept, as thin as the page has them. Used by one thread at a time.
class WebStudy {
 public:
  /// `is_ending`: a look ends with Error soon after it becomes true. Throws Error as WatchedStudy.
  /// `control`: the page offers to stop trials.
  WebStudy(const std::filesystem::path& dir, const std::atomic<bool>& is_ending, bool control)
      : study_(dir), dir_(dir), is_ending_(&is_ending), has_control_(control) {}

  /// Never throws: where the study can't be read its data stay as they are and `state` says why.
  std::shared_ptr<const WebLook> look();

  /// The page as of the last look. Throws Error where there was none that could read the study.
  [[nodiscard]] std::string page() const;

  /// Asks a trial that runs, as of the last look, to stop: "", or why it was not asked.
  [[nodiscard]] std::string stop(const std::string& trial);

 private:
  struct Kept {
    std::int64_t mark = 0;  // of its journal
    std::size_t most = 0;
    std::vector<report::Curve> curves;
    std::uint64_t look = 0;  // that used it last
  };

  void take_results();
  void take_running();
  void take_curves();
  std::vector<report::Curve> curves_of(const results::Trial& trial, std::size_t most);
  std::vector<WebPiece> pieces_of_data();
  [[nodiscard]] std::string state_now(const std::string& problem) const;

  WatchedStudy study_;
  std::filesystem::path dir_;
  const std::atomic<bool>* is_ending_;
  const bool has_control_;
  results::StudyRecord record_;  // as the report knows it: running trials with their last values
  nlohmann::json data_;
  std::uint64_t results_mark_ = 0, running_mark_ = 0, version_ = 0, looks_ = 0;
  std::map<std::string, Kept> kept_;  // by trial
  std::map<std::string, WebPiece> pieces_;
};

}  // namespace paribus
