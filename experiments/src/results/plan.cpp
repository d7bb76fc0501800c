// SPDX-License-Identifier: Apache-2.0
#include "results/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "paribus/error.h"

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

Trial planned_trial(const json& entry) {
  Trial trial;
  trial.id = text(entry, "id", "");
  if (!is_id(trial.id)) wrong("trials.id", "1 to 128 letters, digits, - or _");
  trial.arm = text(entry, "arm", "");
  if (const json* seed = find(entry, "seed")) {
    const bool fits = seed->is_number_unsigned() && seed->get<std::uint64_t>() <= kMaxSeed;
    if (!fits) wrong("trials.seed", "an integer from 0 to 2^63 - 1");
    trial.seed = seed->get<std::int64_t>();
  }
  if (const json* values = find(entry, "values")) {
    if (!values->is_object()) wrong("trials.values", "a table");
    for (const auto& [address, value] : values->items()) trial.values.emplace(address, value);
  }
  if (const json* spec = find(entry, "spec")) trial.spec = *spec;
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
  study.alpha = number(head, "alpha").value_or(study.alpha);
  if (!(study.alpha > 0 && study.alpha < 1)) wrong("alpha", "a number between 0 and 1");
  study.margin = number(head, "margin");
  if (study.margin && !(*study.margin > 0)) study.margin.reset();
}

}  // namespace

StudyRecord read_plan(const json& event) {
  StudyRecord study;
  const json* head = find(event, "study");
  if (!head || !head->is_object()) wrong("study", "a table");
  read_question(*head, study);
  study.arms = texts(event, "arms");
  study.axes = texts(event, "axes");
  const json* trials = find(event, "trials");
  if (!trials || !trials->is_array()) wrong("trials", "a list");
  for (const json& entry : *trials) study.trials.push_back(planned_trial(entry));
  if (const json* environment = find(event, "environment")) study.environment = *environment;
  return study;
}

}  // namespace paribus::results
