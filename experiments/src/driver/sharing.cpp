// SPDX-License-Identifier: Apache-2.0
#include "driver/sharing.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "registry/sha256.h"
#include "study/spec_json.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

constexpr std::int64_t kMostSteps = 100'000'000;  // to compare in one family: some seconds

bool looks_ahead(const json& spec, const registry::Catalog& catalog) {
  for (const json& callback : spec.at("callbacks")) {
    const auto* schema = catalog.find("callback", callback.at("use").get<std::string>());
    if (schema == nullptr ||
        std::find(schema->reads.begin(), schema->reads.end(), "length") != schema->reads.end())
      return true;
  }
  return false;
}

/// Tells trials apart that can't share their beginning: by all but what schedules make of it, and
/// how long it is, where nothing looks at that.
class Beginnings {
 public:
  explicit Beginnings(const registry::Catalog& catalog) : catalog_(catalog) {}

  /// Equal for trials that may share; "" where none may.
  std::string key(const Trial& trial) {
    const auto [entry, is_new] = known_.try_emplace(trial.family.get());
    if (is_new) entry->second = common(trial);
    std::string key = entry->second;
    if (key.empty()) return key;
    key.append(" ").append(std::to_string(trial.seed));
    for (std::size_t i = 0; i < trial.numbers.size(); ++i) {
      const std::string place = trial.family->places()[i].to_string();
      if (!place.starts_with("/schedules"))
        key.append(" ").append(tagged_json(trial.numbers[i]).dump());
    }
    return key;
  }

 private:
  /// What is said of all trials of a family at once.
  [[nodiscard]] std::string common(const Trial& trial) const {
    json key = trial.family->spec(std::vector<Value>(trial.numbers.size()), 0);
    if (key.at("schedules").empty() && looks_ahead(key, catalog_)) return "";
    for (json& schedule : key["schedules"]) schedule = schedule.at("target");
    if (!looks_ahead(key, catalog_)) key["train"].erase("epochs");
    key["facts"] = trial.facts();
    return registry::sha256(key.dump());
  }

  const registry::Catalog& catalog_;
  std::map<const TrialFamily*, std::string> known_;
};

/// Configurations once, and of each trial which it has and its own numbers.
json request_of(const std::vector<const Trial*>& trials) {
  json specs = json::array(), list = json::array();
  std::map<const TrialFamily*, std::size_t> known;
  for (const Trial* trial : trials) {
    const auto [entry, is_new] = known.try_emplace(trial->family.get(), known.size());
    if (is_new) {
      json places = json::array();
      for (const json::json_pointer& place : trial->family->places())
        places.push_back(place.to_string());
      specs.push_back({{"spec", trial->spec()},
                       {"places", std::move(places)},
                       {"steps_per_epoch", trial->facts().value("steps_per_epoch", 0)}});
    }
    json numbers = json::array();
    for (const Value& number : trial->numbers) numbers.push_back(tagged_json(number));
    list.push_back({entry->second, std::move(numbers)});
  }
  return {{"specs", std::move(specs)}, {"trials", std::move(list)}};
}

}  // namespace

std::vector<Shared> find_shared(const std::vector<Trial>& trials, const registry::Catalog& catalog,
                                Engine& engine) {
  std::map<std::string, std::vector<const Trial*>> families;
  std::set<std::string_view> seen;
  Beginnings beginnings(catalog);
  for (const Trial& trial : trials) {
    if (seen.insert(trial.id).second) families[beginnings.key(trial)].push_back(&trial);
  }
  std::vector<Shared> shared;
  for (const auto& [key, family] : families) {
    std::int64_t steps = 0;
    for (const Trial* trial : family) steps += trial->steps;
    if (key.empty() || family.size() < 2 || steps > kMostSteps) continue;
    const json reply = engine.worker().call("prefixes", request_of(family));
    const json& parents = reply.at("parents");
    for (std::size_t i = 0; i < family.size(); ++i) {
      const json& parent = parents.at(i);
      if (parent.is_null()) continue;
      shared.push_back({family[i]->id, family.at(parent.at("trial"))->id,
                        parent.at("step").get<std::int64_t>()});
    }
  }
  return shared;
}

}  // namespace paribus::driver
