// SPDX-License-Identifier: Apache-2.0
#include "study/resolve.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/nearest.h"
#include "study/arms.h"
#include "study/merge.h"
#include "study/targets.h"

namespace paribus {
namespace {

using registry::FieldSchema;
using registry::FieldType;
using registry::PartSchema;

constexpr int kMaxDepth = 16;           // of parts in parts
constexpr std::size_t kMaxList = 1000;  // parts in a list

std::string list_of(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Near misses, or else all there is.
std::string hint(const std::string& word, const std::vector<std::string>& names,
                 const std::string& what) {
  const std::string near = registry::did_you_mean(word, names);
  if (!near.empty()) return near;
  return names.empty() ? fmt::format("; there are no {}", what)
                       : fmt::format("; {}: {}", what, list_of(names));
}

std::string shown(const std::string& word) {
  return word.size() <= 60 ? word : word.substr(0, 60) + "...";
}

/// The words for what a field expects, as `checked` says them.
std::string expected(FieldSchema field) {
  field.optional = false;
  try {
    registry::checked(field, Value{});
  } catch (const Error& refusal) {
    const std::string text = refusal.what();
    const std::size_t at = text.find("expected ");
    if (at != std::string::npos) return text.substr(at);
  }
  return "expected a value";
}

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// A plugin of that name, or a folder, that was refused: the likeliest reason why a part is
/// missing.
std::string refusal_of(const registry::Catalog& catalog, const std::string& name) {
  for (const registry::Refusal& refusal : catalog.refusals()) {
    std::error_code ignored;
    const bool is_folder =
        refusal.file.extension() != ".so" && std::filesystem::is_directory(refusal.file, ignored);
    const bool may_hold_it =
        is_folder || refusal.file.stem().string().find(name) != std::string::npos;
    if (!name.empty() && may_hold_it) {
      return fmt::format("; {} was refused: {}", refusal.file.string(), refusal.reason);
    }
  }
  return "";
}

const std::vector<std::string>& top_keys() {
  static const std::vector<std::string> kKeys{
      "extends", "study",    "data",    "model", "loss",  "optimizer", "schedule", "train",
      "metric",  "callback", "tracker", "arms",  "sweep", "ablate",    "design"};
  return kKeys;
}

/// A key at the top that is known one level down.
std::string near_top_key(const std::string& key) {
  const std::pair<const char*, const std::vector<FieldSchema>&> tables[] = {
      {"study", study_fields()}, {"data", data_fields()}, {"train", train_fields()}};
  for (const auto& [table, fields] : tables) {
    if (find_field(fields, key) != nullptr)
      return fmt::format("; did you mean '{}.{}'?", table, key);
  }
  return registry::did_you_mean(key, top_keys());
}

void check_top_keys(const Config& root, Problems& problems) {
  for (const Config::Entry& entry : *root.as_table()) {
    if (std::find(top_keys().begin(), top_keys().end(), entry.key) != top_keys().end()) continue;
    problems.add(entry.key_place,
                 fmt::format("unknown key '{}'{}", shown(entry.key), near_top_key(entry.key)));
  }
}

TrainSettings train_of(const Config& root, Problems& problems) {
  TrainSettings settings;
  const Config* table = root.find("train");
  if (table == nullptr) return settings;
  if (table->as_table() == nullptr) {
    problems.add(table->place(), fmt::format("train is {}, expected a table", table->what()));
    return settings;
  }
  for (const Config::Entry& entry : *table->as_table()) {
    if (find_field(train_fields(), entry.key) != nullptr) continue;
    problems.add(entry.key_place,
                 fmt::format("unknown key '{}' in [train]{}", shown(entry.key),
                             registry::did_you_mean(entry.key, names_of(train_fields()))));
  }
  read_settings(train_settings(), "train", *table, settings, problems);
  return settings;
}

}  // namespace

std::optional<Value> checked_value(const FieldSchema& field, const Config& value,
                                   const std::string& who, Problems& problems) {
  Value plain;
  if (!value.to_value(plain)) {
    const char* got =
        value.as_list() != nullptr ? "a list of mixed or nested values" : value.what();
    problems.add(value.place(),
                 fmt::format("{}: '{}' got {}, {}", who, field.name, got, expected(field)));
    return {};
  }
  try {
    return registry::checked(field, plain);
  } catch (const Error& refusal) {
    problems.add(value.place(), fmt::format("{}: '{}' {}", who, field.name, refusal.what()));
    return {};
  }
}

const PartSchema* Resolver::schema_of(const std::string& kind, const Config* value,
                                      const std::string& default_use, const std::string& address,
                                      const Place& holder) {
  const Config* use = value;
  if (value != nullptr && value->as_text() == nullptr) {
    if (value->as_table() == nullptr) {
      problems_.add(
          value->place(),
          fmt::format("{} is {}, expected the name of a part of kind {}, or a table with its `use`",
                      address, value->what(), kind));
      return nullptr;
    }
    use = value->find("use");
    if (use != nullptr && use->as_text() == nullptr) {
      problems_.add(use->place(),
                    fmt::format("`use` is {}, expected the name of a part of kind {} in quotes",
                                use->what(), kind));
      return nullptr;
    }
  }
  const std::string name = use == nullptr ? default_use : *use->as_text();
  const Place& place = use != nullptr ? use->place() : value != nullptr ? value->place() : holder;
  if (use == nullptr && name.empty()) {
    const std::string who =
        address.ends_with('.') ? "an entry of " + address.substr(0, address.size() - 1) : address;
    problems_.add(place, fmt::format("{} names no part: give it `use`; parts of kind {}: {}", who,
                                     kind, list_of(catalog_.names(kind))));
    return nullptr;
  }
  try {
    if (const PartSchema* schema = catalog_.find(kind, name)) return schema;
  } catch (const Error& refusal) {
    return problems_.add(place, fmt::format("{}: {}", shown(name), refusal.what())), nullptr;
  }
  if (name == kUnresolved && !problems_.empty()) return nullptr;
  if (name.starts_with('@')) {
    problems_.add(place,
                  fmt::format("'{}': an arm is referred to within [arms] only", shown(name)));
    return nullptr;
  }
  problems_.add(place, fmt::format("no {} is named '{}'{}{}", kind, shown(name),
                                   hint(name, catalog_.names(kind), "parts of kind " + kind),
                                   refusal_of(catalog_, name)));
  return nullptr;
}

/// Keys of a part's table that aren't its parameters.
bool Resolver::is_own_key(const std::string& key, const PartSpec& part) const {
  if (key == "use") return true;
  if (key == "only" && part.kind == "tracker") return true;
  if (part.address == "data")
    return key == "transforms" || find_field(data_fields(), key) != nullptr;
  const std::size_t dot = part.address.rfind('.');
  return key == "name" && dot != std::string::npos &&
         is_part_list(std::string_view(part.address).substr(0, dot));
}

void Resolver::unknown_key(const PartSchema& schema, const Config::Entry& entry,
                           const Fields& more) {
  std::vector<std::string> names = names_of(schema.fields);
  for (const FieldSchema& field : more) names.push_back(field.name);
  if (!more.empty()) names.emplace_back("transforms");
  if (schema.kind == "tracker") names.emplace_back("only");
  std::string near = hint(entry.key, names, "parameters");
  for (const FieldSchema& slot : schema.fields) {  // it may be meant for what a wrapper wraps
    const auto* use = std::get_if<std::string>(&slot.default_value);
    const PartSchema* inner =
        slot.type == FieldType::part && use != nullptr ? catalog_.find(slot.of, *use) : nullptr;
    if (inner != nullptr && inner->field(entry.key) != nullptr)
      near = fmt::format("; did you mean '{}.{}'?", slot.name, entry.key);
  }
  problems_.add(entry.key_place, fmt::format("{}/{}: unknown parameter '{}'{}", schema.kind,
                                             schema.name, shown(entry.key), near));
}

void Resolver::read_slot(const PartSchema& schema, const FieldSchema& field, const Config* value,
                         const Place& place, PartSpec& part) {
  const auto* text = std::get_if<std::string>(&field.default_value);
  const std::string default_use = text == nullptr ? "" : *text;
  const bool is_empty =
      default_use.empty() && (value == nullptr || (value->as_text() && value->as_text()->empty()));
  if (is_empty) return;
  if (depth_ == kMaxDepth) {
    problems_.add(value == nullptr ? place : value->place(),
                  fmt::format("{}/{}: '{}' holds parts more than {} deep", schema.kind, schema.name,
                              field.name, kMaxDepth));
    return;
  }
  ++depth_;
  auto inner = this->part(field.of, part.address + "." + field.name, value, default_use, place);
  --depth_;
  if (inner) part.slots.emplace(field.name, std::move(*inner));
}

void Resolver::read_params(const PartSchema& schema, const Config* table, const Place& place,
                           PartSpec& part) {
  static const Fields kNone;
  const std::string who = schema.kind + "/" + schema.name;
  if (table != nullptr && table->as_table() == nullptr) table = nullptr;
  if (table != nullptr) {
    for (const Config::Entry& entry : *table->as_table()) {
      if (is_own_key(entry.key, part) || schema.field(entry.key) != nullptr) continue;
      unknown_key(schema, entry, part.address == "data" ? data_fields() : kNone);
    }
  }
  for (const FieldSchema& field : schema.fields) {
    const Config* value =
        table == nullptr || is_own_key(field.name, part) ? nullptr : table->find(field.name);
    if (field.type == FieldType::part) {
      read_slot(schema, field, value, place, part);
    } else if (value == nullptr) {
      part.params.emplace(field.name, field.default_value);
    } else if (auto good = checked_value(field, *value, who, problems_)) {
      part.params.emplace(field.name, std::move(*good));
    }
  }
}

std::optional<PartSpec> Resolver::part(const std::string& kind, const std::string& address,
                                       const Config* value, const std::string& default_use,
                                       const Place& holder) {
  const PartSchema* schema = schema_of(kind, value, default_use, address, holder);
  if (schema == nullptr) {
    broken_.insert(address.substr(0, address.find('.')));
    return {};
  }
  PartSpec part{kind, schema->name, address, {}, {}};
  read_params(*schema, value, value == nullptr ? holder : value->place(), part);
  return part;
}

std::vector<PartSpec> Resolver::parts(const std::string& kind, const std::string& address,
                                      const Config* list) {
  std::vector<PartSpec> result;
  if (list == nullptr) return result;
  if (list->as_text() == nullptr && list->as_list() == nullptr) {
    const std::string form = address.find('.') == std::string::npos ? fmt::format("[[{}]]", address)
                                                                    : address + " = [...]";
    problems_.add(list->place(), fmt::format("{} is {}, expected a list of parts: write {}",
                                             address, list->what(), form));
    return result;
  }
  const Config::List one{*list};
  const Config::List& entries = list->as_text() != nullptr ? one : *list->as_list();
  if (entries.size() > kMaxList) {
    problems_.add(list->place(), fmt::format("{} has {} parts, expected at most {}", address,
                                             entries.size(), kMaxList));
    return result;
  }
  std::set<std::string> names;
  for (const Config& entry : entries) {
    const std::string name = entry_name(entry);
    const Config& at = entry.find("name") != nullptr ? *entry.find("name") : entry;
    const bool is_named = &at == &entry || is_name(name);
    if (!is_named) {
      problems_.add(at.place(),
                    "a part's `name` is made of letters, digits, '_' and '-', at most 100");
    } else if (!name.empty() && !names.insert(name).second) {
      problems_.add(at.place(),
                    fmt::format("{} has two entries '{}'; give one of them another `name`", address,
                                shown(name)));
    }
    const std::string own = address + '.' + (is_named ? name : "?");
    if (auto part = this->part(kind, own, &entry, "", list->place())) result.push_back(*part);
  }
  return result;
}

void Resolver::dataset(const Config& root, TrialSpec& trial) {
  const Config* data = root.find("data");
  if (data == nullptr) {
    return problems_.add(fmt::format(
        "no data: name a data set, e.g. [data] use = \"mnist\"; parts of kind dataset: {}",
        list_of(catalog_.names("dataset"))));
  }
  if (auto part = this->part("dataset", "data", data, "", data->place()))
    trial.dataset = std::move(*part);
  if (data->as_table() == nullptr) return;
  read_settings(data_settings(), "data", *data, trial.data, problems_);
  trial.transforms = parts("transform", "data.transforms", data->find("transforms"));
}

void Resolver::schedules(const Config& root, TrialSpec& trial, const std::string& arm) {
  const Config* table = root.find("schedule");
  if (table == nullptr) return;
  if (table->as_table() == nullptr) {
    return problems_.add(
        table->place(),
        fmt::format("schedule is {}, expected a table of addresses", table->what()));
  }
  for (const Config::Entry& entry : *table->as_table()) {
    const std::string parent = entry.key.substr(0, entry.key.rfind('.'));
    if (parent != entry.key && live_target(parent, trial, catalog_).problem.empty()) {
      // { max = 0.1 } without its `use`: its keys were taken for addresses
      problems_.add(entry.key_place,
                    fmt::format("schedule.{} names no part: give it `use`; parts of "
                                "kind schedule: {}",
                                parent, list_of(catalog_.names("schedule"))));
      continue;
    }
    if (entry.value.is_number()) {
      problems_.add(
          entry.value.place(),
          fmt::format("a schedule is a part, got a number; for a constant write {} = {} in its "
                      "own place",
                      entry.key, entry.value.toml()));
      continue;
    }
    auto part = this->part("schedule", "schedule." + entry.key, &entry.value, "", entry.key_place);
    if (broken_.contains(entry.key.substr(0, entry.key.find('.')))) continue;
    const auto target = live_target(entry.key, trial, catalog_);
    if (!target.problem.empty()) {
      problems_.add_of_arm(entry.key_place, target.problem, arm);
      continue;
    }
    const auto twice =
        std::find_if(trial.schedules.begin(), trial.schedules.end(),
                     [&](const ScheduleSpec& it) { return it.target == target.address; });
    if (twice != trial.schedules.end()) {
      problems_.add_of_arm(entry.key_place,
                           fmt::format("a second schedule of {}; the first is '{}'", target.address,
                                       twice->part.address),
                           arm);
    } else if (part) {
      trial.schedules.push_back({target.address, std::move(*part)});
    }
  }
  std::sort(trial.schedules.begin(), trial.schedules.end(),
            [](const ScheduleSpec& a, const ScheduleSpec& b) { return a.target < b.target; });
}

TrialSpec Resolver::trial(const Config& root, const std::string& arm) {
  TrialSpec trial;
  broken_.clear();
  check_top_keys(root, problems_);
  dataset(root, trial);
  const auto one = [&](const char* kind, PartSpec& place) {
    const Config* value = root.find(kind);
    if (value == nullptr && default_part(kind).empty()) {
      return problems_.add(
          fmt::format("no {0}: name one, e.g. {0} = \"mlp\"; parts of kind {0}: {1}", kind,
                      list_of(catalog_.names(kind))));
    }
    if (auto part = this->part(kind, kind, value, default_part(kind),
                               value == nullptr ? Place{} : value->place())) {
      place = std::move(*part);
    }
  };
  one("model", trial.model);
  one("loss", trial.loss);
  one("optimizer", trial.optimizer);
  const Config default_metric(Config::List{Config::text("accuracy", {})}, {});
  const Config* metric = root.find("metric");
  trial.metrics = parts("metric", "metric", metric == nullptr ? &default_metric : metric);
  trial.callbacks = parts("callback", "callback", root.find("callback"));
  trial.train = train_of(root, problems_);
  schedules(root, trial, arm);
  return trial;
}

}  // namespace paribus
