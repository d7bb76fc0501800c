// SPDX-License-Identifier: Apache-2.0
#include "results/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "paribus/error.h"
#include "study/settings.h"

namespace paribus::results {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxSeed = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void wrong(std::string_view key, const std::string& expected) {
  throw Error(fmt::format(
      "journal/study.log: plan: '{}' is unusable, expected {}; run the study again to write a new "
      "plan",
      key, expected));
}

const json* find(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text(const json& object, const char* key, const std::string& otherwise) {
  const json* found = find(object, key);
  if (!found) return otherwise;
  if (!found->is_string()) wrong(key, "a text");
  return found->get<std::string>();
}

std::optional<double> number(const json& object, const char* key) {
  const json* found = find(object, key);
  if (!found) return std::nullopt;
  if (!found->is_number()) wrong(key, "a number");
  return found->get<double>();
}

std::vector<std::string> texts(const json& object, const char* key) {
  std::vector<std::string> list;
  const json* found = find(object, key);
  if (!found) return list;
  if (!found->is_array()) wrong(key, "a list of texts");
  for (const json& one : *found) {
    if (!one.is_string()) wrong(key, "a list of texts");
    list.push_back(one.get<std::string>());
  }
  return list;
}

std::string one_of(const json& object, const char* key, const std::vector<std::string>& choices,
                   const std::string& otherwise) {
  const std::string got = text(object, key, otherwise);
  if (got != otherwise && std::find(choices.begin(), choices.end(), got) == choices.end()) {
    wrong(key, fmt::format("{}, got '{}'", fmt::join(choices, " or "), got));
  }
  return got;
}

/// An id names files: nothing that leads out of the journal's folder may pass.
bool is_id(const std::string& id) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  };
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), fits) &&
         id != "study";
}

std::shared_ptr<const Variant> planned_variant(const json& entry, const StudyRecord& study) {
  auto variant = std::make_shared<Variant>();
  variant->arm = text(entry, "arm", "");
  if (const json* values = find(entry, "values")) {
    if (!values->is_object()) wrong("variants.values", "a table");
    for (const auto& [address, value] : values->items()) variant->values.emplace(address, value);
  }
  variant->steps_per_epoch = number(entry, "steps_per_epoch");
  variant->epochs = number(entry, "epochs");
  const json* spec = find(entry, "spec");
  const json* patch = find(entry, "patch");
  if (spec && (!spec->is_object() || !study.variants.empty()))
    wrong("variants.spec", "a table, of the first variant alone");
  if (patch && (!patch->is_array() || study.variants.empty()))
    wrong("variants.patch", "a list of changes, of any variant but the first");
  if (spec) variant->first = std::make_shared<const json>(*spec);
  if (!study.variants.empty()) variant->first = study.variants.front()->first;
  if (patch && !patch->empty()) variant->patch = patch->dump();
  return variant;
}

/// [variant, seed, id]
Trial planned_trial(const json& entry, const StudyRecord& study) {
  if (!entry.is_array() || entry.size() != 3)
    wrong("trials", "a list of [number of a variant, seed, id]");
  Trial trial;
  const bool known =
      entry[0].is_number_unsigned() && entry[0].get<std::uint64_t>() < study.variants.size();
  if (!known) wrong("trials", "the number of a variant in front");
  trial.variant = study.variants[entry[0].get<std::size_t>()];
  trial.arm = trial.variant->arm;
  trial.values = trial.variant->values;
  const bool fits = entry[1].is_number_unsigned() && entry[1].get<std::uint64_t>() <= kMaxSeed;
  if (!fits) wrong("trials", "a seed from 0 to 2^63 - 1 in the middle");
  trial.seed = entry[1].get<std::int64_t>();
  if (entry[2].is_string()) trial.id = entry[2].get<std::string>();
  if (!is_id(trial.id)) wrong("trials", "an id of 1 to 128 letters, digits, - or _ at the end");
  return trial;
}

void read_question(const json& head, StudyRecord& study) {
  study.name = text(head, "name", "");
  study.question = text(head, "question", "");
  study.metric = text(head, "metric", "");
  study.goal = one_of(head, "goal", {"maximize", "minimize"}, "");
  study.unit = text(head, "unit", "");
  study.test = one_of(head, "test", {"auto", "permutation", "t"}, study.test);
  if (study.test == "auto") study.test = "permutation";
  study.at = one_of(head, "at", {"last", "best"}, study.at);
  study.price = text(head, "price", "");
  try {
    price_of(study.price);
  } catch (const Error&) {
    wrong("price", "a number and a currency");
  }
  study.alpha = number(head, "alpha").value_or(study.alpha);
  study.disk = static_cast<std::int64_t>(number(head, "disk").value_or(0));
  if (!(study.alpha > 0 && study.alpha < 1)) wrong("alpha", "a number between 0 and 1");
  if (const json* buying = find(head, "until_decided")) {
    if (!buying->is_boolean()) wrong("until_decided", "true or false");
    study.until_decided = buying->get<bool>();
  }
  study.margin = number(head, "margin");
  if (study.margin && !(*study.margin > 0)) study.margin.reset();
}

}  // namespace

json Variant::spec(std::int64_t seed) const {
  if (!first) return {};
  json made = *first;
  try {
    if (!patch.empty()) made.patch_inplace(json::parse(patch));
    made["seed"] = seed;
  } catch (const json::exception& problem) {
    wrong("variants.patch", fmt::format("one that fits the first variant ({})", problem.what()));
  }
  return made;
}

void read_planned(const json& event, StudyRecord& study) {
  const json* variants = find(event, "variants");
  if (!variants || !variants->is_array()) wrong("variants", "a list");
  std::unordered_set<std::string> arms(study.arms.begin(), study.arms.end());
  for (const json& entry : *variants) {
    study.variants.push_back(planned_variant(entry, study));
    const std::string& arm = study.variants.back()->arm;
    if (arms.insert(arm).second) study.arms.push_back(arm);
  }
  const json* trials = find(event, "trials");
  if (!trials || !trials->is_array()) wrong("trials", "a list");
  for (const json& entry : *trials) study.trials.push_back(planned_trial(entry, study));
}

StudyRecord read_plan(const json& event) {
  StudyRecord study;
  const json* head = find(event, "study");
  if (!head || !head->is_object()) wrong("study", "a table");
  read_question(*head, study);
  study.arms = texts(event, "arms");
  study.axes = texts(event, "axes");
  read_planned(event, study);
  try {
    if (const json* design = find(event, "design")) study.design = design_of(*design);
  } catch (const Error& flaw) {
    wrong("design", flaw.what());
  }
  if (!study.design.empty() && study.design.on.size() != study.arms.size())
    wrong("design", "a row for each arm");
  if (const json* environment = find(event, "environment")) study.environment = *environment;
  return study;
}

}  // namespace paribus::results
