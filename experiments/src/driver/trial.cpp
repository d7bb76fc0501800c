// SPDX-License-Identifier: Apache-2.0
#include "driver/trial.h"

#include <fmt/core.h>

namespace paribus::driver {

namespace {

using nlohmann::json;

/// Keeps which parts stand where, and their texts and switches, which can select another way of
/// working.
json without_numbers(json part) {
  for (auto& [name, value] : part.at("params").items()) {
    if (value.is_object() && (value.contains("int") || value.contains("float"))) value = "a number";
  }
  for (auto& [name, slot] : part.at("slots").items()) slot = without_numbers(slot);
  return part;
}

std::string short_value(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.4g}", value.get<double>());
  return value.dump();
}

}  // namespace

std::string Trial::label() const {
  std::string text = values.empty() ? arm : "";  // the arm of a sweep is its values at full length
  for (const auto& [address, value] : values.items()) {
    const std::string name = address.substr(address.rfind('.') + 1);
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, short_value(value));
  }
  return fmt::format("{}{}seed {}", text, text.empty() ? "" : ", ", seed);
}

json resolved(json spec, const json& facts) {
  json& train = spec.at("train");
  for (const char* key : {"device", "precision", "memory_format"}) {
    if (const auto fact = facts.find(key); fact != facts.end() && fact->is_string())
      train[key] = *fact;
  }
  return spec;
}

std::string inspection_key(const json& spec) {
  json key = spec;
  key.erase("seed");
  key["optimizer"] = without_numbers(key.at("optimizer"));
  for (json& schedule : key["schedules"]) schedule["part"] = without_numbers(schedule.at("part"));
  return key.dump();
}

}  // namespace paribus::driver
