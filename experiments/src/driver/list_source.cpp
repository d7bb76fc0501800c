// SPDX-License-Identifier: Apache-2.0
#include "driver/list_source.h"

#include <set>

namespace paribus::driver {

Missing missing(std::vector<Trial> trials, const StudyDirectory& directory, bool fresh) {
  Missing missing;
  std::set<std::string> seen;
  for (Trial& trial : trials) {
    if (!seen.insert(trial.id).second) continue;  // two arms that are the same trial
    const std::string status = directory.status(trial.id);
    if (status == "done" && !fresh) {
      ++missing.done;
      continue;
    }
    if (fresh || status == "failed") directory.forget(trial.id);
    trial.resumes = !fresh && (status == "stopped" || status == "begun" || status == "paused");
    missing.to_run.push_back(std::move(trial));
  }
  return missing;
}

ListSource::ListSource(const StudyDirectory& directory, std::vector<Trial> trials,
                       const std::vector<Shared>& shared)
    : directory_(directory) {
  std::map<std::string, std::size_t> places;
  for (Trial& trial : trials) {
    places[trial.id] = works_.size();
    works_.emplace_back().trial = std::move(trial);
  }
  for (const Shared& one : shared) {
    const auto child = places.find(one.trial);
    if (child == places.end()) continue;
    works_[child->second].from = one.with;
    works_[child->second].from_step = one.steps;
    parent_of_[one.trial] = one.with;
    ++children_left_[one.with];
    const auto parent = places.find(one.with);
    if (parent != places.end()) works_[parent->second].save_at.push_back(one.steps);
  }
}

/// Its checkpoint has served when the last that begins with it is over.
void ListSource::ended(const Trial& trial, const Outcome& /*outcome*/) {
  const auto parent = parent_of_.find(trial.id);
  if (parent == parent_of_.end() || --children_left_[parent->second] > 0) return;
  directory_.drop_branches(parent->second);
}

}  // namespace paribus::driver
