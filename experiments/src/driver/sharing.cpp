// SPDX-License-Identifier: Apache-2.0
#include "driver/sharing.h"

#include <algorithm>
#include <map>
#include <set>

#include "registry/sha256.h"

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

/// Equal for trials that may share their beginning: all but what schedules make of it, and how long
/// it is, where nothing looks at that.
std::string family_of(const Trial& trial, const registry::Catalog& catalog) {
  json key = trial.spec;
  if (key.at("schedules").empty() && looks_ahead(key, catalog)) return "";
  for (json& schedule : key["schedules"]) schedule = schedule.at("target");
  if (!looks_ahead(key, catalog)) key["train"].erase("epochs");
  key["facts"] = trial.facts;
  return registry::sha256(key.dump());
}

}  // namespace

std::vector<Shared> find_shared(const std::vector<Trial>& trials, const registry::Catalog& catalog,
                                Engine& engine) {
  std::map<std::string, std::vector<const Trial*>> families;
  std::set<std::string> seen;
  for (const Trial& trial : trials) {
    if (seen.insert(trial.id).second) families[family_of(trial, catalog)].push_back(&trial);
  }
  std::vector<Shared> shared;
  for (const auto& [key, family] : families) {
    std::int64_t steps = 0;
    json list = json::array();
    for (const Trial* trial : family) {
      steps += trial->steps;
      list.push_back(
          {{"spec", trial->spec}, {"steps_per_epoch", trial->facts.value("steps_per_epoch", 0)}});
    }
    if (key.empty() || family.size() < 2 || steps > kMostSteps) continue;
    const json reply = engine.worker().call("prefixes", {{"trials", std::move(list)}});
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
