// SPDX-License-Identifier: Apache-2.0
#include "study/spec_json.h"

#include <cmath>
#include <limits>
#include <optional>

#include "paribus/error.h"

namespace paribus {
namespace {

using nlohmann::json;

json real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

double real_from(const json& value) {
  if (value.is_number()) return value.get<double>();
  const auto& text = value.get_ref<const std::string&>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  throw Error("not a number: '" + text + "'");
}

/// Each value carries its type, since JSON alone can't tell a string "inf" from a number or an
/// empty list's type.
struct ToJson {
  json operator()(std::monostate) const { return nullptr; }
  json operator()(bool value) const { return {{"bool", value}}; }
  json operator()(std::int64_t value) const { return {{"int", value}}; }
  json operator()(double value) const { return {{"float", real(value)}}; }
  json operator()(const std::string& value) const { return {{"string", value}}; }
  json operator()(const std::vector<std::int64_t>& value) const { return {{"ints", value}}; }
  json operator()(const std::vector<double>& value) const {
    json list = json::array();
    for (double element : value) list.push_back(real(element));
    return {{"floats", std::move(list)}};
  }
  json operator()(const std::vector<std::string>& value) const { return {{"strings", value}}; }
};

Value value_from(const json& tagged) {
  if (tagged.is_null()) return {};
  if (!tagged.is_object() || tagged.size() != 1)
    throw Error("expected a value with its type, got " + tagged.dump());
  const auto entry = tagged.begin();
  const std::string& type = entry.key();
  const json& value = *entry;
  if (type == "bool") return value.get<bool>();
  if (type == "int") return value.get<std::int64_t>();
  if (type == "float") return real_from(value);
  if (type == "string") return value.get<std::string>();
  if (type == "ints") return value.get<std::vector<std::int64_t>>();
  if (type == "strings") return value.get<std::vector<std::string>>();
  if (type != "floats") throw Error("unknown type of value '" + type + "'");
  std::vector<double> list;
  for (const json& element : value) list.push_back(real_from(element));
  return list;
}

json list_of(const std::vector<PartSpec>& parts) {
  json list = json::array();
  for (const PartSpec& part : parts) list.push_back(to_json(part));
  return list;
}

std::vector<PartSpec> list_from(const json& parts) {
  std::vector<PartSpec> list;
  for (const json& part : parts) list.push_back(part_spec_from_json(part));
  return list;
}

std::optional<json::json_pointer> pointer_in(const PartSpec& part, const std::string& address,
                                             const json::json_pointer& place) {
  if (!address.starts_with(part.address + ".")) return std::nullopt;
  const std::string name = address.substr(part.address.size() + 1);
  if (part.params.contains(name)) return place / "params" / name;
  for (const auto& [slot_name, slot] : part.slots) {
    if (auto found = pointer_in(slot, address, place / "slots" / slot_name)) return found;
  }
  return std::nullopt;
}

}  // namespace

json tagged_json(const Value& value) { return std::visit(ToJson{}, value); }

json::json_pointer pointer_to(const TrialSpec& spec, const std::string& address) {
  using Pointer = json::json_pointer;
  if (const auto found = pointer_in(spec.optimizer, address, Pointer("/optimizer"))) return *found;
  for (std::size_t i = 0; i < spec.schedules.size(); ++i) {
    const Pointer place = Pointer("/schedules") / i / "part";
    if (const auto found = pointer_in(spec.schedules[i].part, address, place)) return *found;
  }
  throw Error("no parameter of the optimizer or of a schedule is at " + address);
}

json to_json(const PartSpec& spec) {
  json params = json::object();
  for (const auto& [name, value] : spec.params) params[name] = std::visit(ToJson{}, value);
  json slots = json::object();
  for (const auto& [name, slot] : spec.slots) slots[name] = to_json(slot);
  return {{"kind", spec.kind},
          {"use", spec.use},
          {"address", spec.address},
          {"params", params},
          {"slots", slots}};
}

PartSpec part_spec_from_json(const json& object) {
  PartSpec spec;
  try {
    spec = {object.at("kind"), object.at("use"), object.at("address"), {}, {}};
    for (const auto& [name, value] : object.at("params").items())
      spec.params[name] = value_from(value);
    for (const auto& [name, slot] : object.at("slots").items())
      spec.slots[name] = part_spec_from_json(slot);
  } catch (const json::exception& problem) {
    throw Error(std::string("part in a resolved configuration: ") + problem.what());
  }
  return spec;
}

json to_json(const TrialSpec& spec) {
  json schedules = json::array();
  for (const ScheduleSpec& schedule : spec.schedules) {
    schedules.push_back({{"target", schedule.target}, {"part", to_json(schedule.part)}});
  }
  const DataSettings& data = spec.data;
  const TrainSettings& train = spec.train;
  json object = {{"dataset", to_json(spec.dataset)},
                 {"model", to_json(spec.model)},
                 {"loss", to_json(spec.loss)},
                 {"optimizer", to_json(spec.optimizer)},
                 {"transforms", list_of(spec.transforms)},
                 {"metrics", list_of(spec.metrics)},
                 {"callbacks", list_of(spec.callbacks)},
                 {"schedules", schedules},
                 {"data",
                  {{"batch", data.batch},
                   {"valid_batch", data.valid_batch},
                   {"workers", data.workers},
                   {"shuffle", data.shuffle},
                   {"drop_last", data.drop_last},
                   {"limit", data.limit},
                   {"valid_limit", data.valid_limit}}},
                 {"train",
                  {{"epochs", train.epochs},
                   {"device", train.device},
                   {"precision", train.precision},
                   {"memory_format", train.memory_format},
                   {"accumulate", train.accumulate},
                   {"clip_norm", real(train.clip_norm)},
                   {"clip_value", real(train.clip_value)},
                   {"valid_every", train.valid_every},
                   {"checkpoint_seconds", real(train.checkpoint_seconds)}}},
                 {"seed", spec.seed},
                 {"threads", spec.threads}};
  if (data.folds > 0)  // else a trial keeps the id that it had before there were folds
    object["data"].update({{"folds", data.folds}, {"fold", data.fold}});
  return object;
}

TrialSpec trial_spec_from_json(const json& object) {
  TrialSpec spec;
  try {
    spec.dataset = part_spec_from_json(object.at("dataset"));
    spec.model = part_spec_from_json(object.at("model"));
    spec.loss = part_spec_from_json(object.at("loss"));
    spec.optimizer = part_spec_from_json(object.at("optimizer"));
    spec.transforms = list_from(object.at("transforms"));
    spec.metrics = list_from(object.at("metrics"));
    spec.callbacks = list_from(object.at("callbacks"));
    for (const json& schedule : object.at("schedules")) {
      spec.schedules.push_back({schedule.at("target"), part_spec_from_json(schedule.at("part"))});
    }
    const json& data = object.at("data");
    spec.data = {data.at("batch"),
                 data.at("valid_batch"),
                 data.at("workers"),
                 data.at("shuffle"),
                 data.at("drop_last"),
                 data.at("limit"),
                 data.at("valid_limit"),
                 data.value("folds", std::int64_t{0}),
                 data.value("fold", std::int64_t{0})};
    const json& train = object.at("train");
    spec.train = {train.at("epochs"),
                  train.at("device"),
                  train.at("precision"),
                  train.at("memory_format"),
                  train.at("accumulate"),
                  real_from(train.at("clip_norm")),
                  real_from(train.at("clip_value")),
                  train.at("valid_every"),
                  real_from(train.at("checkpoint_seconds"))};
    spec.seed = object.at("seed");
    spec.threads = object.at("threads");
  } catch (const json::exception& problem) {
    throw Error(std::string("resolved configuration: ") + problem.what());
  }
  return spec;
}

}  // namespace paribus
