// SPDX-License-Identifier: Apache-2.0
#include "study/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "registry/nearest.h"
#include "study/settings.h"

namespace paribus {
namespace {

using registry::FieldSchema;
using registry::PartSchema;

std::vector<const PartSpec*> parts_of(const TrialSpec& trial) {
  std::vector<const PartSpec*> parts{&trial.dataset, &trial.model, &trial.loss, &trial.optimizer};
  for (const auto* list : {&trial.transforms, &trial.metrics, &trial.callbacks}) {
    for (const PartSpec& part : *list) parts.push_back(&part);
  }
  return parts;
}

const PartSpec* find(const PartSpec& part, const std::string& address) {
  if (part.address == address) return &part;
  if (!address.starts_with(part.address + ".")) return nullptr;
  for (const auto& [name, slot] : part.slots) {
    if (const PartSpec* found = find(slot, address)) return found;
  }
  return nullptr;
}

/// The part itself, or the innermost-first one that it wraps, with a parameter of that name.
const PartSpec* owner(const PartSpec& part, const std::string& name) {
  if (part.params.contains(name)) return &part;
  for (const auto& [slot_name, slot] : part.slots) {
    if (slot.kind != part.kind) continue;
    if (const PartSpec* found = owner(slot, name)) return found;
  }
  return nullptr;
}

void list_live(const PartSpec& part, const registry::Catalog& catalog,
               std::vector<std::string>& addresses) {
  if (const PartSchema* schema = catalog.find(part.kind, part.use)) {
    for (const FieldSchema& field : schema->fields) {
      if (field.live) addresses.push_back(part.address + "." + field.name);
    }
  }
  for (const auto& [name, slot] : part.slots) list_live(slot, catalog, addresses);
}

std::string near_live(const std::string& address, const TrialSpec& trial,
                      const registry::Catalog& catalog) {
  std::vector<std::string> addresses;
  for (const PartSpec* part : parts_of(trial)) {
    if (!part->kind.empty()) list_live(*part, catalog, addresses);
  }
  const std::string near = registry::did_you_mean(address, addresses);
  if (!near.empty() || addresses.empty()) return near;
  std::string all;
  for (const std::string& it : addresses) all += fmt::format("{}{}", all.empty() ? "" : ", ", it);
  return "; live parameters: " + all;
}

const PartSpec* holder_of(const TrialSpec& trial, const std::string& address, std::string& name) {
  const std::size_t dot = address.rfind('.');
  if (dot == std::string::npos) return nullptr;
  name = address.substr(dot + 1);
  return part_at(trial, address.substr(0, dot));
}

/// Null unless the address is a place's name with one of its keys.
template <class Settings>
const Setting<Settings>* setting_at(const std::vector<Setting<Settings>>& keys,
                                    std::string_view place, std::string_view address) {
  if (!address.starts_with(place)) return nullptr;
  const std::string_view name = address.substr(place.size());
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const auto& key) { return key.schema.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace

const PartSpec* part_at(const TrialSpec& trial, const std::string& address) {
  for (const PartSpec* part : parts_of(trial)) {
    if (part->kind.empty()) continue;
    if (const PartSpec* found = find(*part, address)) return found;
  }
  for (const ScheduleSpec& schedule : trial.schedules) {
    if (const PartSpec* found = find(schedule.part, address)) return found;
  }
  return nullptr;
}

Target live_target(const std::string& address, const TrialSpec& trial,
                   const registry::Catalog& catalog) {
  std::string name;
  const PartSpec* part = holder_of(trial, address, name);
  const PartSpec* own = part == nullptr ? nullptr : owner(*part, name);
  if (own == nullptr) {
    const char* what = part == nullptr ? "there is no such part" : "it has no such parameter";
    return {"", fmt::format("can't schedule '{}': {}{}", address, what,
                            near_live(address, trial, catalog))};
  }
  const PartSchema* schema = catalog.find(own->kind, own->use);
  const FieldSchema* field = schema == nullptr ? nullptr : schema->field(name);
  if (field == nullptr || !field->live) {
    return {"",
            fmt::format("can't schedule '{}': {}/{} can't change '{}' during training{}", address,
                        own->kind, own->use, name, near_live(address, trial, catalog))};
  }
  return {own->address + "." + name, ""};
}

const Value* param_at(const TrialSpec& trial, const std::string& address) {
  std::string name;
  const PartSpec* part = holder_of(trial, address, name);
  if (part == nullptr) return nullptr;
  const auto found = part->params.find(name);
  return found == part->params.end() ? nullptr : &found->second;
}

std::optional<Value> value_at(const TrialSpec& trial, const std::string& address) {
  if (const auto* train = setting_at(train_settings(), "train.", address))
    return train->get(trial.train);
  if (const auto* data = setting_at(data_settings(), "data.", address))
    return data->get(trial.data);
  const Value* held = param_at(trial, address);
  return held == nullptr ? std::nullopt : std::optional(*held);
}

void set_value(TrialSpec& trial, const std::string& address, const Value& value) {
  if (const auto* train = setting_at(train_settings(), "train.", address))
    return train->set(trial.train, value);
  if (const auto* data = setting_at(data_settings(), "data.", address))
    return data->set(trial.data, value);
  *const_cast<Value*>(param_at(trial, address)) = value;
}

const FieldSchema* field_at(const TrialSpec& trial, const std::string& address,
                            const registry::Catalog& catalog) {
  if (address.starts_with("train.")) return find_field(train_fields(), address.substr(6));
  if (address.starts_with("data.")) {
    if (const FieldSchema* field = find_field(data_fields(), address.substr(5))) return field;
  }
  std::string name;
  const PartSpec* part = holder_of(trial, address, name);
  const PartSchema* schema = part == nullptr ? nullptr : catalog.find(part->kind, part->use);
  return schema == nullptr ? nullptr : schema->field(name);
}

}  // namespace paribus
