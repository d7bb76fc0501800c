// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "driver/check.h"
#include "driver/engine.h"
#include "study/adaptive.h"

namespace paribus::driver {

/// What a search asks for: paribus/search.h, without LibTorch.
struct SearchJob {
  std::int64_t point = 0, until = 0, parent = -1;
  SearchPoint choices;
};

/// Every metric that the trials of a study record, and whether more of it is better.
std::map<std::string, bool> goals_of(const CheckedStudy& checked);

/// Has the part of an adaptive study built, which says what it can't search. Throws StudyError.
void check_search(const CheckedStudy& checked, Engine& engine);

/// A search part at work in the worker. What it asks for is checked here; a worker that died is
/// told the whole history again.
class SearchSession {
 public:
  /// Throws Refused in the part's words where it can't search these axes.
  SearchSession(const AdaptiveSweep& sweep, std::string metric,
                const std::map<std::string, bool>& goals, Engine& engine);
  SearchSession(const SearchSession&) = delete;
  SearchSession& operator=(const SearchSession&) = delete;
  ~SearchSession();

  [[nodiscard]] std::int64_t at_once() const { return at_once_; }
  /// The study's metric, then those that the part names besides.
  [[nodiscard]] const std::vector<std::string>& objectives() const { return objectives_; }

  void began(std::int64_t job);
  void ended(std::int64_t job, const std::vector<double>& values);
  /// The next job for a worker that is free, or none. `points`: how many there are.
  std::optional<SearchJob> next(std::int64_t points);

 private:
  void open();

  const AdaptiveSweep& sweep_;
  const std::string metric_;
  const std::map<std::string, bool> goals_;  // metrics that trials record -> whether more is better
  Engine& engine_;
  std::vector<nlohmann::json> jobs_, happenings_;  // all that a new worker must be told
  std::vector<std::string> objectives_;
  std::size_t told_ = 0;
  std::int64_t at_once_ = 1;
  int session_ = 0, worker_ = 0;
};

}  // namespace paribus::driver
