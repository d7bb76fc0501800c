// SPDX-License-Identifier: Apache-2.0
#include "uplink/flat.h"

#include <cmath>

#include "paribus/error.h"
#include "study/settings.h"
#include "study/spec_json.h"

namespace paribus::uplink {

namespace {

using nlohmann::json;

json plain(const Value& value) {
  return std::visit(
      [](const auto& one) -> json {
        using T = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, double>) {
          if (!std::isfinite(one)) return std::isnan(one) ? "nan" : one > 0 ? "inf" : "-inf";
          return one;
        } else {
          return one;
        }
      },
      value);
}

class Flattener {
 public:
  Flat made;

  void part(const PartSpec& spec, json& table) {
    add(spec.address, "use", Value{spec.use}, table);
    for (const auto& [name, value] : spec.params) add(spec.address, name, value, table);
    for (const auto& [name, slot] : spec.slots) part(slot, table[name]);
  }

  template <class Settings>
  void settings(const std::vector<Setting<Settings>>& keys, const Settings& from,
                const std::string& at) {
    for (const auto& key : keys) add(at, key.schema.name, key.get(from), made.tables[at]);
  }

  void parts(const std::vector<PartSpec>& list, json& table) {
    for (const PartSpec& spec : list)
      part(spec, table[spec.address.substr(spec.address.rfind('.') + 1)]);
  }

 private:
  /// A part stands by its address alone: `optimizer` = "sgd".
  void add(const std::string& at, const std::string& name, const Value& value, json& table) {
    if (std::holds_alternative<std::monostate>(value)) return;
    made.parameters[name == "use" ? at : at + "." + name] = value;
    table[name] = plain(value);
  }
};

}  // namespace

Flat flat(const TrialSpec& spec) {
  Flattener flattener;
  json& tables = flattener.made.tables;
  for (const PartSpec* one : {&spec.dataset, &spec.model, &spec.loss, &spec.optimizer})
    flattener.part(*one, tables[one->address]);
  flattener.settings(data_settings(), spec.data, "data");
  flattener.settings(train_settings(), spec.train, "train");
  flattener.parts(spec.transforms, tables["data"]["transforms"]);
  flattener.parts(spec.metrics, tables["metric"]);
  flattener.parts(spec.callbacks, tables["callback"]);
  for (const ScheduleSpec& schedule : spec.schedules)
    flattener.part(schedule.part, tables["schedule"][schedule.target]);
  return std::move(flattener.made);
}

Flat flat(const results::Trial& trial) {
  try {
    return flat(trial_spec_from_json(trial.spec()));
  } catch (const std::exception&) {  // of a plan by another version
  }
  Flat made;
  made.tables = json::object();
  for (const auto& [address, value] : trial.values) {
    if (value.is_number_integer()) made.parameters[address] = value.get<std::int64_t>();
    if (value.is_number_float()) made.parameters[address] = value.get<double>();
    if (value.is_boolean()) made.parameters[address] = value.get<bool>();
    if (value.is_string()) made.parameters[address] = value.get<std::string>();
    made.tables[address] = value;
  }
  return made;
}

}  // namespace paribus::uplink
