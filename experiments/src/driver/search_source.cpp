// SPDX-License-Identifier: Apache-2.0
#include "driver/search_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "driver/standing.h"

namespace paribus::driver {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

SearchSource::SearchSource(CheckedStudy& checked, const StudyDirectory& directory, PlanLog& plan,
                           Engine& engine, Observer& observer, bool fresh)
    : checked_(checked),
      sweep_(*checked.study.adaptive),
      directory_(directory),
      plan_(plan),
      engine_(engine),
      observer_(observer),
      goals_(goals_of(checked)),
      session_(sweep_, checked.study.metric, goals_, engine),
      fresh_(fresh) {}

std::vector<Work> SearchSource::more() {
  advance();
  return std::exchange(ready_, {});
}

/// As far as what is known allows.
void SearchSource::advance() {
  while (!is_over_) {
    while (under_way_.size() < static_cast<std::size_t>(session_.at_once()) && begin_job()) {
    }
    if (under_way_.empty()) {
      is_over_ = true;
      drop_checkpoints();
      return plan_.ends();
    }
    const std::size_t next = first_to_end();
    if (!jobs_[next].waits_for.empty()) return;
    end_job(next);
  }
}

bool SearchSource::begin_job() {
  const auto asked = session_.next(static_cast<std::int64_t>(points_.size()));
  if (!asked) return false;
  const auto number = static_cast<std::size_t>(asked->point);
  if (number == points_.size()) add_point(*asked);
  Point& point = points_[number];
  const bool is_busy = std::any_of(under_way_.begin(), under_way_.end(),
                                   [&](std::size_t job) { return jobs_[job].point == number; });
  if (is_busy || asked->until <= point.reached) {
    throw Error(fmt::format("search/{}: asks for point {} up to epoch {}, which {}",
                            sweep_.search().use, number, asked->until,
                            is_busy ? "is being trained" : "it has behind it"));
  }
  const std::size_t job = jobs_.size();
  jobs_.push_back({number, asked->until, now_ + asked->until - point.reached, {}});
  under_way_.push_back(job);
  session_.began(static_cast<std::int64_t>(job));
  begin_trials(job);
  return true;
}

void SearchSource::add_point(const SearchJob& asked) {
  Point point;
  if (asked.parent >= 0) {
    point.parent = static_cast<std::size_t>(asked.parent);
    const Point& parent = points_[point.parent];
    point.course = parent.course;
    point.reached = parent.reached;
    while (!point.course.empty() && point.course.back().epoch >= parent.reached)
      point.course.pop_back();
  }
  point.course.push_back({point.reached, asked.choices});
  try {
    point.trials =
        check_more(checked_, sweep_.trials(point.course, checked_.catalog), engine_, observer_);
  } catch (const StudyError& problem) {  // counts as failed: the search goes on without it
    observer_.note(fmt::format("a point of the search can't be trained: {}", problem.what()));
  }
  const std::size_t from = checked_.trials.size();
  for (const Trial& trial : point.trials) {
    const bool is_new = std::none_of(checked_.trials.begin(), checked_.trials.end(),
                                     [&](const Trial& known) { return known.id == trial.id; });
    if (!is_new) continue;
    checked_.trials.push_back(trial);
    if (fresh_) directory_.forget(trial.id);
  }
  if (checked_.trials.size() > from) plan_.grew(from);
  points_.push_back(std::move(point));
}

void SearchSource::begin_trials(std::size_t number) {
  Job& job = jobs_[number];
  const Point& point = points_[job.point];
  for (std::size_t i = 0; i < point.trials.size(); ++i) {
    const Trial& trial = point.trials[i];
    const std::int64_t until = step_of(trial, job.until);
    const Standing standing = standing_of(directory_, trial.id);
    if (failed_.contains(trial.id) || standing.has_reached(until)) continue;
    job.waits_for.insert(trial.id);
    Work work;
    work.trial = trial;
    work.until = job.until == sweep_.epochs() ? 0 : until;
    work.trial.resumes = standing.is_begun();
    if (standing.status == "failed") directory_.forget(trial.id);
    if (point.course.size() > 1 && !standing.is_begun()) {
      const Trial& parent = points_[point.parent].trials[i];
      work.from = parent.id;
      work.from_step = step_of(trial, point.course.back().epoch);
      directory_.keep_branch(parent.id, work.from_step);
    }
    if (busy_.insert(trial.id).second)
      ready_.push_back(std::move(work));
    else
      later_[trial.id].push_back(std::move(work));
  }
}

void SearchSource::ended(const Trial& trial, const Outcome& outcome) {
  busy_.erase(trial.id);
  if (outcome.failed()) failed_.insert(trial.id);
  const Standing standing = standing_of(directory_, trial.id);
  for (const std::size_t number : under_way_) {
    Job& job = jobs_[number];
    if (job.waits_for.contains(trial.id) &&
        (outcome.failed() || standing.has_reached(step_of(trial, job.until))))
      job.waits_for.erase(trial.id);
  }
  auto& waiting = later_[trial.id];
  if (waiting.empty() || outcome.failed()) return;
  busy_.insert(trial.id);
  ready_.push_back(std::move(waiting.front()));
  waiting.erase(waiting.begin());
}

std::size_t SearchSource::first_to_end() const {
  return *std::min_element(under_way_.begin(), under_way_.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(jobs_[a].ends, a) < std::pair(jobs_[b].ends, b);
  });
}

void SearchSource::end_job(std::size_t number) {
  const Job& job = jobs_[number];
  now_ = job.ends;
  points_[job.point].reached = job.until;
  std::erase(under_way_, number);
  session_.ended(static_cast<std::int64_t>(number), values_of(job));
}

/// Of each objective the mean over the seeds; NaN if a seed failed.
std::vector<double> SearchSource::values_of(const Job& job) const {
  const Point& point = points_[job.point];
  std::vector<double> values;
  for (const std::string& metric : session_.objectives()) {
    const Which best = goals_.at(metric) ? Which::greatest : Which::least;
    double sum = point.trials.empty() ? kNaN : 0;
    for (const Trial& trial : point.trials) {
      sum += failed_.contains(trial.id)
                 ? kNaN
                 : value_of(directory_, trial.id, metric, step_of(trial, job.until),
                            checked_.study.at == "best" ? best : Which::last);
    }
    values.push_back(sum / static_cast<double>(std::max<std::size_t>(point.trials.size(), 1)));
  }
  return values;
}

/// No trial goes on from them any more.
void SearchSource::drop_checkpoints() const {
  if (checked_.study.keep == "all") return;
  for (const Trial& trial : checked_.trials) directory_.drop_checkpoints(trial.id);
}

std::int64_t SearchSource::step_of(const Trial& trial, std::int64_t epochs) const {
  return epochs * trial.facts().value("steps_per_epoch", std::int64_t{0});
}

}  // namespace paribus::driver
