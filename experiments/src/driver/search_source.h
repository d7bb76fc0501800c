// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "driver/check.h"
#include "driver/directory.h"
#include "driver/plan_log.h"
#include "driver/search_session.h"
#include "driver/work.h"
#include "study/adaptive.h"

namespace paribus::driver {

/// What a search that looks at results asks for, in logical time (docs/internals.md): jobs under
/// way end in the order of their logical ends, and the search hears of an end only when all before
/// it are known. What is in the directory already is not run again.
class SearchSource final : public Source {
 public:
  SearchSource(CheckedStudy& checked, const StudyDirectory& directory, PlanLog& plan,
               Engine& engine, Observer& observer, bool fresh);

  std::vector<Work> more() override;
  void ended(const Trial& trial, const Outcome& outcome) override;

 private:
  /// One point of the search, trained so far up to an epoch, in logical time.
  struct Point {
    std::vector<Stretch> course;
    std::vector<Trial> trials;  // one for each seed; none if it can't be trained
    std::int64_t reached = 0;   // epochs
    std::size_t parent = 0;     // of a course of several stretches
  };
  struct Job {
    std::size_t point = 0;
    std::int64_t until = 0;           // epochs
    std::int64_t ends = 0;            // in logical time
    std::set<std::string> waits_for;  // trials that have not got there yet
  };

  void advance();
  bool begin_job();
  void add_point(const SearchJob& asked);
  void begin_trials(std::size_t number);
  void end_job(std::size_t number);
  void drop_checkpoints() const;
  [[nodiscard]] std::size_t first_to_end() const;
  [[nodiscard]] std::vector<double> values_of(const Job& job) const;
  [[nodiscard]] std::int64_t step_of(const Trial& trial, std::int64_t epochs) const;

  CheckedStudy& checked_;
  const AdaptiveSweep& sweep_;
  const StudyDirectory& directory_;
  PlanLog& plan_;
  Engine& engine_;
  Observer& observer_;
  const std::map<std::string, bool> goals_;
  SearchSession session_;
  std::vector<Point> points_;
  std::vector<Job> jobs_;               // in the order in which they began
  std::vector<std::size_t> under_way_;  // numbers of jobs, in that order
  std::set<std::string> failed_;        // trials, for good
  std::set<std::string> busy_;          // trials that are run now
  std::vector<Work> ready_;
  std::map<std::string, std::vector<Work>> later_;  // for trials that are run now
  std::int64_t now_ = 0;                            // epochs
  bool is_over_ = false;
  const bool fresh_;  // what the directory has of a trial is forgotten, once
};

}  // namespace paribus::driver
