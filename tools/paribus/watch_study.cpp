// SPDX-License-Identifier: Apache-2.0
#include "watch_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "paribus/error.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using results::Status;
using results::Trial;

constexpr std::size_t kMostBytes = std::size_t{32} << 20;  // read in one call

fs::path log_path(const fs::path& dir) { return dir / "journal" / "study.log"; }

bool is_over(Status status) {
  return status == Status::done || status == Status::failed || status == Status::pruned;
}

}  // namespace

WatchedStudy::WatchedStudy(fs::path dir) : dir_(std::move(dir)) {
  results::read_study_plan(dir_);  // says what is wrong with a directory as every reader does
}

bool WatchedStudy::refresh() {
  is_driven_ = journal::has_writer(log_path(dir_));
  read_log();
  find_started();
  const bool all = follow_all();
  trackers_ = uplink::statuses(dir_);
  sum_up();
  return all;
}

void WatchedStudy::read_log() {
  const results::FileMark now = results::mark_of(log_path(dir_));
  if (now.inode != inode_ || now.size < offset_) {  // made anew
    offset_ = 0;
    has_plan_ = false;
    exits_.clear();
  }
  inode_ = now.inode;
  if (offset_ > 0 && now.size == offset_) return;
  journal::EventReader reader(log_path(dir_), offset_);
  for (json event; reader.next(event);) take(event);
  offset_ = reader.offset();
  if (!has_plan_)
    throw Error(
        fmt::format("{}: journal/study.log has no plan; run the study again", dir_.string()));
  study_.log_problem = results::problem_of(reader);
  number_trials();
}

void WatchedStudy::take(const json& event) {
  const json name = event.value("event", json());
  if (name == "plan") {
    study_ = results::read_plan(event);
    study_.dir = dir_;
    has_plan_ = true;
    rows_.clear();
    followed_.clear();
    unreadable_.clear();
    is_told_.clear();
    numbered_ = 0;
    folder_ = {};
    return;
  }
  if (name == "planned" && has_plan_) return results::read_planned(event, study_);
  const json trial = event.value("trial", json());
  if (!trial.is_string() || (name != "exit" && name != "begin")) return;
  const std::string& id = trial.get_ref<const std::string&>();
  if (name == "exit") exits_[id] = results::read_exit(event);
  if (name == "begin") exits_.erase(id);
  if (const auto rows = rows_.find(id); rows != rows_.end()) {
    for (const std::size_t row : rows->second) is_told_[row] = true;
  }
}

void WatchedStudy::number_trials() {
  is_told_.resize(study_.trials.size(), true);
  for (; numbered_ < study_.trials.size(); ++numbered_)
    rows_[study_.trials[numbered_].id].push_back(numbered_);
}

/// Looks again at the trials of which something may have changed.
void WatchedStudy::find_started() {
  const results::FileMark folder = results::mark_of(dir_ / "journal");
  const bool is_same = results::is_unchanged(folder_, folder);
  folder_ = folder;
  for (std::size_t row = 0; row < study_.trials.size(); ++row) {
    const Trial& trial = study_.trials[row];
    const bool may_differ =
        is_told_[row] ||
        (trial.learned == Trial::kNoJournal ? !is_same : trial.learned != Trial::kFromLog);
    if (may_differ) look(row);
    is_told_[row] = false;
  }
}

void WatchedStudy::look(std::size_t row) {
  Trial& trial = study_.trials[row];
  const auto found = exits_.find(trial.id);
  const results::Exit* exit = found == exits_.end() ? nullptr : &found->second;
  const bool is_done = exit && exit->outcome && exit->outcome->status == Status::done;
  const fs::path path = results::journal_path(dir_, trial.id);
  if (!is_done && journal::has_writer(path)) {
    static_cast<results::Outcome&>(trial) = {};
    trial.problem.clear();
    trial.status = Status::running;
    trial.learned = Trial::kBeingWritten;
    return;
  }
  const bool is_known = !is_told_[row] && trial.learned != Trial::kBeingWritten &&
                        trial.learned == results::journal_mark(path);
  if (is_known) return;
  static_cast<results::Outcome&>(trial) = {};
  trial.problem.clear();
  results::read_trial_or_say_why(dir_, exit, trial, study_.units);
}

/// Reads on in the journals of running trials and of the one that is selected.
bool WatchedStudy::follow_all() {
  std::erase_if(followed_, [&](const auto& one) {
    return one.first != selected_ && study_.trials[one.first].status != Status::running;
  });
  unreadable_.clear();
  std::size_t budget = kMostBytes;
  bool all = true;
  for (std::size_t row = 0; row < study_.trials.size(); ++row) {
    const Trial& trial = study_.trials[row];
    const bool is_wanted = row == selected_ && trial.learned != Trial::kNoJournal;
    if (trial.status != Status::running && !is_wanted) continue;
    const fs::path path = results::journal_path(dir_, trial.id);
    try {
      WatchedTrial& one = followed_.try_emplace(row, path, study_.metric).first->second;
      const std::size_t share = std::max(budget / 2, std::size_t{1} << 20);
      if (one.read_on(share)) {
        all = false;
        budget -= std::min(budget, share);
      }
      if (!one.problem().empty() && trial.status == Status::running)
        unreadable_[row] = one.problem();
    } catch (const Error& error) {
      followed_.erase(row);
      // One that is done may have no journal any more: its outcome stands in the log.
      if (trial.status == Status::running) unreadable_[row] = error.what();
    }
  }
  return all;
}

const WatchedTrial* WatchedStudy::followed(std::size_t row) const {
  const auto found = followed_.find(row);
  return found == followed_.end() ? nullptr : &found->second;
}

double WatchedStudy::steps_of(std::size_t row) const {
  const auto& variant = study_.trials[row].variant;
  if (!variant || !variant->epochs) return 0;
  const WatchedTrial* one = followed(row);
  const auto per_epoch =
      one && one->steps_per_epoch() ? one->steps_per_epoch() : variant->steps_per_epoch;
  const double steps = per_epoch ? std::round(*variant->epochs * *per_epoch) : 0;
  return std::isfinite(steps) && steps > 0 ? steps : 0;
}

void WatchedStudy::sum_up() {
  counts_ = {};
  double planned = 0, made = 0, rate = 0;
  std::size_t over = 0;
  bool knows_all = !study_.trials.empty();
  for (std::size_t row = 0; row < study_.trials.size(); ++row) {
    const Trial& trial = study_.trials[row];
    ++counts_[static_cast<std::size_t>(trial.status)];
    over += is_over(trial.status);
    const double steps = steps_of(row);
    knows_all = knows_all && steps > 0;
    planned += steps;
    const WatchedTrial* one = trial.status == Status::running ? followed(row) : nullptr;
    const double step =
        one ? static_cast<double>(one->step()) : static_cast<double>(trial.steps.value_or(0));
    made += is_over(trial.status) ? steps : std::min(step, steps);
    if (one) rate += one->rate();
  }
  const double trials = std::max<double>(1, static_cast<double>(study_.trials.size()));
  fraction_ = knows_all ? made / planned : static_cast<double>(over) / trials;
  seconds_left_ = knows_all && rate > 0 && is_driven_ ? (planned - made) / rate : 0;
}

std::vector<std::string> WatchedStudy::problems() const {
  std::vector<std::string> all;
  if (!study_.log_problem.empty()) all.push_back(study_.log_problem);
  for (const Trial& trial : study_.trials) {
    if (!trial.problem.empty()) all.push_back(trial.problem);
  }
  for (const auto& [row, problem] : unreadable_) all.push_back(problem);
  return all;
}

}  // namespace paribus
