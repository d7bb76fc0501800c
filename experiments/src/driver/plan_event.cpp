// SPDX-License-Identifier: Apache-2.0
#include "driver/plan_event.h"

#include <unordered_map>

namespace paribus::driver {

namespace {

using nlohmann::json;

/// "valid.accuracy" is measured by metric/accuracy, which states the unit.
std::string unit_of(const CheckedStudy& checked) {
  const std::string& metric = checked.study.metric;
  const registry::PartSchema* part =
      checked.catalog.find("metric", metric.substr(metric.rfind('.') + 1));
  return part != nullptr ? part->unit : "";
}

/// Arms by number, in order of their first trials.
class Variants {
 public:
  explicit Variants(const CheckedStudy& checked) : checked_(checked) {}

  /// The number of a trial's arm, and whether it is new.
  std::pair<std::size_t, bool> number(const Trial& trial) {
    const auto [known, is_new] = numbers_.try_emplace(trial.arm, numbers_.size());
    return {known->second, is_new};
  }

  [[nodiscard]] json described(const Trial& trial) const {
    json variant = {{"arm", trial.arm}, {"values", trial.values}};
    if (const auto steps = trial.facts.find("steps_per_epoch"); steps != trial.facts.end())
      variant["steps_per_epoch"] = *steps;
    variant["epochs"] = trial.epochs;
    const Trial& first = checked_.trials.front();
    if (trial.arm == first.arm) {
      variant["spec"] = trial.spec;
      return variant;
    }
    json spec = trial.spec;
    spec["seed"] = first.seed;
    variant["patch"] = json::diff(first.spec, spec);
    return variant;
  }

 private:
  const CheckedStudy& checked_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

/// Into `event`: the trials from `from` on.
void describe(const CheckedStudy& checked, std::size_t from, json& event) {
  Variants variants(checked);
  json described = json::array(), trials = json::array();
  for (std::size_t i = 0; i < checked.trials.size(); ++i) {
    const Trial& trial = checked.trials[i];
    const auto [number, is_new] = variants.number(trial);
    if (i < from) continue;
    if (is_new) described.push_back(variants.described(trial));
    trials.push_back({number, trial.seed, trial.id});
  }
  event["variants"] = std::move(described);
  event["trials"] = std::move(trials);
}

}  // namespace

json plan_of(const CheckedStudy& checked, const std::string& name, const json& environment) {
  const Study& study = checked.study;
  json event = {{"event", "plan"},
                {"study",
                 {{"name", name},
                  {"question", study.question},
                  {"metric", study.metric},
                  {"goal", study.goal},
                  {"unit", unit_of(checked)},
                  {"test", study.test},
                  {"at", study.at},
                  {"alpha", study.alpha},
                  {"margin", study.margin},
                  {"disk", study.limits.disk},
                  {"until_decided", study.until_decided}}},
                {"arms", study.arms},
                {"design", to_json(study.design)},
                {"axes", study.swept},
                {"environment", environment}};
  describe(checked, 0, event);
  return event;
}

json planned_of(const CheckedStudy& checked, std::size_t from) {
  json event = {{"event", "planned"}};
  describe(checked, from, event);
  return event;
}

}  // namespace paribus::driver
