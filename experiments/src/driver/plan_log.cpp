// SPDX-License-Identifier: Apache-2.0
#include "driver/plan_log.h"

#include "driver/plan_event.h"
#include "journal/events.h"

namespace paribus::driver {

using nlohmann::json;

PlanLog::PlanLog(journal::Writer& log, const StudyDirectory& directory, const CheckedStudy& checked,
                 json plan)
    : log_(log), checked_(checked), plan_(std::move(plan)), first_(checked.trials.size()) {
  bool stands = false;
  journal::EventReader reader(directory.journal("study"));
  for (json event; reader.next(event);) {
    const std::string name = event.value("event", "");
    if (name == "plan") {
      stands = event == plan_;
      known_.clear();
    } else if (name == "planned") {
      for (const json& trial : event.at("trials")) known_.push_back(trial.at(2));
    }
  }
  if (stands) return;
  known_.clear();
  log_.event(plan_);
}

void PlanLog::grew(std::size_t from) {
  for (; from < checked_.trials.size(); ++from, ++met_) {
    if (met_ == known_.size()) return log_.event(planned_of(checked_, from, arms_));
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
