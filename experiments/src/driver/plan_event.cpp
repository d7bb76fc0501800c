// SPDX-License-Identifier: Apache-2.0
#include "driver/plan_event.h"

#include <unordered_map>

#include "study/spec_json.h"

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

/// Describes arms and points.
class Variants {
 public:
  explicit Variants(const CheckedStudy& checked) : checked_(checked) {}

  json described(const Trial& trial) {
    json variant = {{"arm", trial.arm}, {"values", trial.values}};
    if (const auto steps = trial.facts().find("steps_per_epoch"); steps != trial.facts().end())
      variant["steps_per_epoch"] = *steps;
    variant["epochs"] = trial.epochs;
    const Trial& first = checked_.trials.front();
    if (trial.arm == first.arm)
      variant["spec"] = first.spec();
    else
      variant["patch"] = patch(trial);
    return variant;
  }

 private:
  /// One of a family, and how its configuration differs from that of the first trial.
  struct Member {
    std::vector<Value> numbers;
    json patch;
  };

  json patch(const Trial& trial) {
    const auto [entry, is_new] = members_.try_emplace(trial.family.get());
    Member& member = entry->second;
    if (is_new) {
      const Trial& first = checked_.trials.front();
      member = {trial.numbers,
                json::diff(first.spec(), trial.family->spec(trial.numbers, first.seed))};
    }
    json patch = member.patch;
    for (std::size_t i = 0; i < trial.numbers.size(); ++i) {
      if (trial.numbers[i] == member.numbers[i]) continue;
      patch.push_back({{"op", "replace"},
                       {"path", trial.family->places()[i].to_string()},
                       {"value", tagged_json(trial.numbers[i])}});
    }
    return patch;
  }

  const CheckedStudy& checked_;
  std::unordered_map<const TrialFamily*, Member> members_;
};

/// Into `event`: the trials from `from` on.
void describe(const CheckedStudy& checked, std::size_t from, ArmNumbers& arms, json& event) {
  arms.meet(checked.trials, from);
  Variants variants(checked);
  json described = json::array(), trials = json::array();
  for (std::size_t i = from; i < checked.trials.size(); ++i) {
    const Trial& trial = checked.trials[i];
    const auto [number, is_new] = arms.number(trial.arm);
    if (is_new) described.push_back(variants.described(trial));
    trials.push_back({number, trial.seed, trial.id});
  }
  arms.meet(checked.trials, checked.trials.size());
  event["variants"] = std::move(described);
  event["trials"] = std::move(trials);
}

}  // namespace

std::pair<std::size_t, bool> ArmNumbers::number(const std::string& arm) {
  const auto [known, is_new] = numbers_.try_emplace(arm, numbers_.size());
  return {known->second, is_new};
}

void ArmNumbers::meet(const std::vector<Trial>& trials, std::size_t end) {
  for (; met_ < end; ++met_) number(trials[met_].arm);
}

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
                  {"price", study.price},
                  {"until_decided", study.until_decided}}},
                {"arms", study.arms},
                {"design", to_json(study.design)},
                {"axes", study.swept},
                {"environment", environment}};
  ArmNumbers arms;
  describe(checked, 0, arms, event);
  return event;
}

json planned_of(const CheckedStudy& checked, std::size_t from, ArmNumbers& arms) {
  json event = {{"event", "planned"}};
  describe(checked, from, arms, event);
  return event;
}

json planned_of(const CheckedStudy& checked, std::size_t from) {
  ArmNumbers arms;
  return planned_of(checked, from, arms);
}

}  // namespace paribus::driver
