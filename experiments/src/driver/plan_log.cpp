// SPDX-License-Identifier: Apache-2.0
#include "driver/plan_log.h"

#include "driver/plan_event.h"

namespace paribus::driver {

using nlohmann::json;

PlanLog::PlanLog(journal::Writer& log, const StudyDirectory& directory, const CheckedStudy& checked,
                 json plan)
    : log_(log), checked_(checked), plan_(std::move(plan)), first_(checked.trials.size()) {
  const journal::Record record = journal::read(directory.journal("study"));
  const json* last = record.last("plan");
  if (last == nullptr || *last != plan_) {
    log_.event(plan_);
    return;
  }
  for (const json* event = last; event != record.events.data() + record.events.size(); ++event) {
    if (event->value("event", "") != "planned") continue;
    for (const json& trial : event->at("trials")) known_.push_back(trial.at(2));
  }
}

void PlanLog::grew(std::size_t from) {
  for (; from < checked_.trials.size(); ++from, ++met_) {
    if (met_ == known_.size()) return log_.event(planned_of(checked_, from));
    if (known_[met_] != checked_.trials[from].id) return write_anew();
  }
}

void PlanLog::ends() {
  if (met_ < known_.size()) write_anew();
}

void PlanLog::write_anew() {
  known_.clear();
  met_ = 0;
  log_.event(plan_);
  if (checked_.trials.size() > first_) log_.event(planned_of(checked_, first_));
}

}  // namespace paribus::driver
