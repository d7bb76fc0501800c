// SPDX-License-Identifier: Apache-2.0
#include "complete_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "paribus/error.h"
#include "registry/catalog.h"
#include "registry/elf.h"
#include "registry/manifest.h"
#include "study/arms.h"
#include "study/demands.h"
#include "study/document.h"
#include "study/resolve.h"
#include "study/settings.h"
#include "study/trackers.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;
using registry::Catalog;
using registry::FieldSchema;
using registry::FieldType;

/// A key, and its values where they can be counted.
struct Key {
  std::string about{};
  std::vector<std::string> values{};
};
using Keys = std::map<std::string, Key>;

std::vector<std::string> values_of(const FieldSchema& field, const Catalog& catalog) {
  if (field.type == FieldType::boolean) return {"false", "true"};
  if (field.type == FieldType::part) return catalog.names(field.of);
  return field.choices;
}

class Collector {
 public:
  Collector(const Catalog& catalog, Keys& keys) : catalog_(catalog), keys_(keys) {}

  void add_fields(const std::string& place, const std::vector<FieldSchema>& fields) {
    for (const FieldSchema& field : fields) {
      keys_.insert_or_assign(place + "." + field.name,
                             Key{about_field(field, nullptr), values_of(field, catalog_)});
    }
  }

  /// `optimizer=`: another part; and what this one has.
  void add_part(const PartSpec& part, std::vector<std::string> others) {
    if (part.kind.empty()) return;
    const auto* schema = catalog_.find(part.kind, part.use);
    if (schema == nullptr) return;
    keys_.insert_or_assign(
        part.address, Key{fmt::format("{}/{}: {}", part.kind, part.use, schema->doc.substr(0, 100)),
                          std::move(others)});
    for (const FieldSchema& field : schema->fields) {
      const auto slot = part.slots.find(field.name);
      if (slot != part.slots.end()) {
        add_part(slot->second, catalog_.names(slot->second.kind));
        continue;
      }
      const auto value = part.params.find(field.name);
      const Value* now = value == part.params.end() ? nullptr : &value->second;
      keys_.insert_or_assign(part.address + "." + field.name,
                             Key{about_field(field, now), values_of(field, catalog_)});
    }
  }

  void add_trial(const TrialSpec& trial) {
    for (const PartSpec* part : {&trial.model, &trial.loss, &trial.optimizer})
      add_part(*part, catalog_.names(part->kind));
    add_part(trial.dataset, {});
    keys_.erase("data");  // its part is only one of its keys
    if (!trial.dataset.kind.empty())
      keys_.insert_or_assign("data.use", Key{"the data set", catalog_.names("dataset")});
    for (const auto* list : {&trial.transforms, &trial.metrics, &trial.callbacks}) {
      for (const PartSpec& part : *list) add_part(part, {"false"});
    }
    for (const ScheduleSpec& schedule : trial.schedules) {
      std::vector<std::string> others = catalog_.names("schedule");
      others.emplace_back("false");
      add_part(schedule.part, std::move(others));
    }
  }

  void add_all_of(const std::string& prefix, const Keys& keys) {
    for (const auto& [address, key] : keys) keys_.insert_or_assign(prefix + address, key);
  }

 private:
  const Catalog& catalog_;
  Keys& keys_;
};

/// What every study has.
Keys settings(const Catalog& catalog) {
  Keys keys;
  Collector collector(catalog, keys);
  collector.add_fields("study", study_fields());
  collector.add_fields("data", data_fields());
  collector.add_fields("train", train_fields());
  return keys;
}

/// Of one configuration; what is wrong in it is `check`'s to say.
Keys keys_of(const Config& root, const Catalog& catalog, Keys keys) {
  Problems problems("");
  Resolver resolver(catalog, problems);
  Collector collector(catalog, keys);
  collector.add_trial(resolver.trial(root, ""));
  for (const TrackerSpec& tracker : trackers_of(root.find("tracker"), resolver, problems))
    collector.add_part(tracker.part, {"false"});
  return keys;
}

Catalog catalog_of(const std::vector<fs::path>& folders) {
  try {
    return Catalog::scan(Catalog::search_path(folders));
  } catch (const Error&) {  // a folder that isn't there, parts of one name: `check` says so
    return Catalog::of({});
  }
}

Keys keys_in(const fs::path& study, const std::vector<std::string>& set, const std::string& typed) {
  Problems problems("");
  const Document document = read_document(study, set, problems);
  const Config* table = study_table(document, problems);
  const Catalog catalog = catalog_of(folders_of(table, "plugins", problems));
  const Keys common = settings(catalog);
  Keys keys = keys_of(document.root, catalog, common);
  Collector collector(catalog, keys);
  if (document.has_sweep && typed.starts_with("sweep.")) {
    collector.add_all_of("sweep.", Keys(keys));
    keys.insert_or_assign("sweep.search", Key{"what chooses points", catalog.names("search")});
  } else if (document.has_sweep) {
    keys.insert_or_assign("sweep.search", Key{"what chooses points", catalog.names("search")});
  }
  Design design;
  for (const Variant& arm : arms_of(document, design, problems)) {
    if (document.arm(arm.name) == nullptr) continue;  // nobody wrote it
    const std::string prefix = "arms." + arm.name + ".";
    if (typed.starts_with(prefix)) {
      collector.add_all_of(prefix, keys_of(arm.over(document.root, problems), catalog, {}));
    } else if (prefix.starts_with(typed)) {
      keys.insert_or_assign(prefix, Key{"what this arm changes"});
    }
  }
  return keys;
}

/// Keys that begin as typed, those that share their next step as one. A key that ends with a point
/// is a step itself.
Answer steps(const Keys& keys, const std::string& typed) {
  std::map<std::string, std::pair<std::size_t, const Keys::value_type*>> found;
  for (const Keys::value_type& key : keys) {
    if (!key.first.starts_with(typed) || has_control(key.first)) continue;
    const std::size_t point = key.first.find('.', typed.size());
    const bool is_key = point == std::string::npos;
    auto& [count, one] = found[is_key ? key.first + "=" : key.first.substr(0, point + 1)];
    ++count;
    one = &key;
  }
  Answer answer;
  for (const auto& [step, last] : found) {
    const auto& [count, key] = last;
    const bool whole = key->first.ends_with('.') || step.ends_with('=');
    if (count == 1 && !whole) {
      answer.candidates.push_back({key->first + "=", key->second.about});
    } else {
      answer.candidates.push_back(
          {step, whole ? key->second.about : fmt::format("{} keys", count)});
    }
  }
  return answer;
}

Answer values(const Keys& keys, const std::string& typed) {
  const std::size_t equals = typed.find('=');
  const auto key = keys.find(typed.substr(0, equals));
  Answer answer;
  if (key == keys.end()) return answer;
  for (const std::string& value : key->second.values) {
    if (value.starts_with(typed.substr(equals + 1)) && !value.empty() && !has_control(value))
      answer.candidates.push_back({typed.substr(0, equals + 1) + value, ""});
  }
  return answer;
}

Answer answer_of(const Keys& keys, const std::string& typed) {
  return typed.find('=') == std::string::npos ? steps(keys, typed) : values(keys, typed);
}

}  // namespace

std::string about_field(const FieldSchema& field, const Value* value) {
  static constexpr std::pair<const char*, std::optional<double> FieldSchema::*> kBounds[] = {
      {">=", &FieldSchema::min},
      {">", &FieldSchema::above},
      {"<=", &FieldSchema::max},
      {"<", &FieldSchema::below}};
  static constexpr double kBeyondInt = 2147483647;  // what an int can hold is no bound to tell
  std::string text = field.type == FieldType::boolean   ? "bool"
                     : field.type == FieldType::integer ? "int"
                     : field.type == FieldType::real    ? "float"
                     : field.type == FieldType::list    ? "list of " + field.of
                     : field.type == FieldType::part    ? field.of
                                                        : "string";
  for (const auto& [sign, bound] : kBounds) {
    const std::optional<double>& held = field.*bound;
    if (held && *held<kBeyondInt&& * held> - kBeyondInt) text += fmt::format(" {} {}", sign, *held);
  }
  const std::string now = toml_value(value != nullptr ? *value : field.default_value);
  if (!now.empty()) text += ", " + now;
  return text + ": " + field.doc;
}

Answer study_keys(const fs::path& study, const std::vector<std::string>& set,
                  const std::string& typed) {
  std::error_code ignored;
  if (fs::is_regular_file(study, ignored)) {
    try {
      return answer_of(keys_in(study, set, typed), typed);
    } catch (const Error&) {  // not TOML: `check` says where
    }
  }
  return answer_of(settings(catalog_of({})), typed);
}

Answer plugin_keys(const fs::path& plugin, const std::string& typed) {
  Keys keys;
  const Catalog catalog = catalog_of({});
  std::error_code ignored;
  if (!fs::is_regular_file(plugin, ignored)) return {};
  for (const registry::PartSchema& part :
       registry::parse_manifests(registry::read_section(plugin).text)) {
    for (const FieldSchema& field : part.fields)
      keys.insert_or_assign(field.name,
                            Key{about_field(field, nullptr), values_of(field, catalog)});
  }
  return answer_of(keys, typed);
}

std::vector<std::string> tracker_names(const fs::path& study) {
  Problems problems("");
  const Document document = read_document(study, {}, problems);
  const Config* list = document.root.find("tracker");
  return list == nullptr ? std::vector<std::string>{} : entry_names(*list);
}

}  // namespace paribus
