// SPDX-License-Identifier: Apache-2.0
#include "uplink/system_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "machine/sampler.h"
#include "paribus/error.h"

namespace paribus::uplink {

namespace {

constexpr std::size_t kRange = 512;  // points that are read together, about
constexpr double kMostSeconds = 1e12;

bool is_sane(std::int64_t step) { return step >= 0 && static_cast<double>(step) < kMostSeconds; }

}  // namespace

SystemLog::SystemLog(const std::filesystem::path& dir) : file_(machine::log_path(dir)) {}

void SystemLog::read_on() {
  if (is_bad_) return;
  std::error_code none;
  const auto size = std::filesystem::file_size(file_, none);
  if (none || size == position_.at) return;
  if (size < position_.at) {  // made anew
    position_ = {};
    names_.clear(), ranges_.clear(), where_.clear();
  }
  while (true) {
    Batch batch = read_batch(file_, position_, kRange);
    const std::uint64_t from = position_.at;
    if (batch.next.at == from) return;
    position_ = batch.next;
    name_series();
    add_range(batch, from);
  }
}

void SystemLog::name_series() {
  for (std::size_t i = names_.size(); i < position_.series.size(); ++i) {
    machine::SeriesName name = machine::series_name(position_.series[i].name);
    const char* front = name.trial.empty() ? "system/" : "system/trial.";
    names_.push_back({std::move(name.trial), front + name.name});
  }
}

void SystemLog::add_range(const Batch& batch, std::uint64_t from) {
  if (batch.points.empty()) return;
  Range range{from, batch.next.at, std::numeric_limits<std::int64_t>::max(), -1};
  for (const BatchPoint& point : batch.points) {
    if (!is_sane(point.step)) continue;
    range.first = std::min(range.first, point.step);
    range.last = std::max(range.last, point.step);
    const std::string& trial = names_[point.series].trial;
    if (trial.empty()) continue;
    const auto where = where_.try_emplace(trial, ranges_.size(), ranges_.size()).first;
    where->second.second = ranges_.size();
  }
  ranges_.push_back(range);
}

SystemBatch SystemLog::of(const std::string& trial, std::int64_t after, std::size_t most,
                          std::int64_t until) {
  const std::lock_guard lock(mutex_);
  SystemBatch found;
  try {
    read_on();
  } catch (const Error& problem) {  // what stands before that is as good as it was
    is_bad_ = true;
    fmt::print(stderr, "{}\n", problem.what());
  }
  try {
    const auto where = where_.find(trial);
    if (where == where_.end() || !(std::abs(position_.started) < kMostSeconds)) return found;
    found.started = position_.started;
    // One before: what it is in may have begun there.
    for (std::size_t i = where->second.first - std::min<std::size_t>(where->second.first, 1);
         i <= where->second.second; ++i) {
      if (!collect(i, trial, after, most, until, found)) break;
    }
  } catch (const Error& problem) {  // it is gone, perhaps
    is_bad_ = true;
    where_.clear();
    found = {};
    fmt::print(stderr, "{}\n", problem.what());
  }
  return found;
}

/// The samples that begin in a range. False where no more is wanted.
bool SystemLog::collect(std::size_t number, const std::string& trial, std::int64_t after,
                        std::size_t most, std::int64_t until, SystemBatch& into) const {
  const auto time_of = [&](std::int64_t step) {
    return static_cast<std::int64_t>(std::floor(into.started)) + step;
  };
  const Range& range = ranges_[number];
  if (range.last < 0 || time_of(range.last) <= after) return true;
  const bool begins_before = number > 0 && ranges_[number - 1].last == range.first;
  std::size_t end = number;
  while (end + 1 < ranges_.size() && ranges_[end + 1].first == range.last) ++end;
  const auto is_ours = [&](std::int64_t step) {
    return is_sane(step) && step <= range.last && (step > range.first || !begins_before);
  };
  Position from = position_;
  from.at = range.from;
  from.last.clear();
  for (Series& one : from.series) one.floor = one.mark = Series::kNone;  // none was made twice
  const Batch batch = read_batch(file_, from, std::size_t{0} - 1, ranges_[end].to);
  std::set<std::int64_t> steps;  // of samples that the trial is in
  for (const BatchPoint& point : batch.points) {
    if (is_ours(point.step) && names_.at(point.series).trial == trial) steps.insert(point.step);
  }
  std::int64_t now = 0;
  for (const BatchPoint& point : batch.points) {
    if (!steps.contains(point.step)) continue;
    const std::int64_t time = time_of(point.step);
    if (time <= after) continue;
    if (until > 0 ? time > until : time != now && into.points.size() >= most) return false;
    const Name& name = names_[point.series];
    if (!name.trial.empty() && name.trial != trial) continue;
    now = into.until = time;
    into.points.push_back(
        {name.metric, position_.series[point.series].unit, point.step, point.value});
  }
  return true;
}

}  // namespace paribus::uplink
