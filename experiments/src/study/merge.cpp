// SPDX-License-Identifier: Apache-2.0
#include "study/merge.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/nearest.h"
#include "study/settings.h"

namespace paribus {
namespace {

constexpr std::size_t kMaxParts = 24;

std::string below(const std::string& at, const std::string& key) {
  return at.empty() ? key : at + "." + key;
}

std::string rest(const std::vector<std::string>& path, std::size_t step) {
  std::string result;
  for (; step < path.size(); ++step) result = below(result, path[step]);
  return result;
}

/// `model = "mlp"` says what `model = { use = "mlp" }` says.
Config as_table(const Config& part) {
  if (part.as_text() == nullptr) return part;
  Config table = Config::table(part.place());
  table.set("use", part.place(), part);
  return table;
}

void open_part(Config& part) {
  if (part.as_text() != nullptr) part = as_table(part);
}

/// Another data set leaves the settings and transforms of [data] as they are: they aren't the data
/// set's.
void drop_dataset(Config& data) {
  std::erase_if(*data.as_table(), [](const Config::Entry& entry) {
    return entry.key != "transforms" && find_field(data_fields(), entry.key) == nullptr;
  });
}

Config* find_entry(Config::List& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Config& it) { return entry_name(it) == name; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> split_address(std::string_view address) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= address.size();) {
    const std::size_t end = std::min(address.find('.', begin), address.size());
    if (end == begin || parts.size() == kMaxParts) return {};
    parts.emplace_back(address.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool is_part_list(std::string_view address) {
  return address == "callback" || address == "metric" || address == "tracker" ||
         address == "data.transforms";
}

namespace {

/// An entry is called by its part; "python:module:EarlyStop" is "early_stop".
std::string called(const std::string& use) {
  if (!use.starts_with("python:")) return use;
  std::string name;
  for (const char c : std::string_view(use).substr(use.rfind(':') + 1)) {
    const bool capital = c >= 'A' && c <= 'Z';
    const bool after_small = !name.empty() && name.back() != '_' && name.back() >= 'a';
    if (capital && after_small) name += '_';
    name += capital ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

}  // namespace

std::string entry_name(const Config& entry) {
  const Config* name = entry.find("name");
  if (name != nullptr) return name->as_text() == nullptr ? "" : *name->as_text();
  const std::string* use = entry.use();
  return use == nullptr ? "" : called(*use);
}

std::vector<std::string> entry_names(const Config& list) {
  std::vector<std::string> names;
  if (list.as_list() == nullptr) return names;
  for (const Config& entry : *list.as_list()) names.push_back(entry_name(entry));
  return names;
}

void Merger::merge_table(Config& base, const Config& over, const std::string& at) {
  for (const Config::Entry& entry : *over.as_table()) set(base, at, entry);
}

void Merger::set(Config& base, const std::string& at, const Config::Entry& entry) {
  const Path path = split_address(entry.key);
  if (path.empty()) {
    return problems_.add(
        entry.key_place,
        fmt::format("'{}' is no address: expected at most {} names with dots between",
                    entry.key.substr(0, 60), kMaxParts));
  }
  assign(base, at, path, 0, entry);
}

void Merger::assign(Config& base, const std::string& at, const Path& path, std::size_t step,
                    const Config::Entry& entry) {
  if (at == "schedule") return assign_schedule(base, rest(path, step), entry);
  const std::size_t left = path.size() - step;
  if (left == 1) return put(base, at, path[step], entry);
  if (left == 2 &&
      path[step + 1] == "use") {  // another part, not another name for the same parameters
    Config part = Config::table(entry.value.place());
    part.set("use", entry.key_place, entry.value);
    const std::string where = below(at, path[step]);
    if (!is_part_list(where))
      return put(base, at, path[step], {path[step], entry.key_place, std::move(part)});
  }
  descend(base, at, path, step, entry);
}

/// Follows an address one step down; what isn't there yet becomes a table.
void Merger::descend(Config& base, const std::string& at, const Path& path, std::size_t step,
                     const Config::Entry& entry) {
  const std::string& key = path[step];
  const std::string where = below(at, key);
  Config* child = base.find(key);
  if (child == nullptr) {
    Config fresh = is_part_list(where) ? Config(Config::List{}, entry.key_place)
                                       : Config::table(entry.key_place);
    child = &base.set(key, entry.key_place, std::move(fresh));
  }
  if (is_part_list(where) && child->as_text() != nullptr)
    *child = Config(Config::List{*child}, child->place());
  if (is_part_list(where) && child->as_list() != nullptr)
    return assign_in_list(*child, where, path, step + 1, entry);
  open_part(*child);
  if (child->as_table() == nullptr) {
    return problems_.add(entry.key_place, fmt::format("'{}' leads nowhere: {} is {}", entry.key,
                                                      where, child->what()));
  }
  assign(*child, where, path, step + 1, entry);
}

/// The last step of an address.
void Merger::put(Config& base, const std::string& at, const std::string& key,
                 const Config::Entry& entry) {
  const std::string where = below(at, key);
  const Config& over = entry.value;
  if (where == "schedule" || is_part_list(where)) {
    const bool by_name =
        over.as_table() != nullptr && (where == "schedule" || over.find("use") == nullptr);
    if (by_name) {
      for (const Config::Entry& inner : *over.as_table()) {
        Path path = split_address(inner.key);
        if (path.empty()) return set(base, where, inner);  // says what is wrong
        path.insert(path.begin(), key);
        descend(base, at, path, 0, inner);
      }
      if (base.find(key) == nullptr && where == "schedule") base.set(key, entry.key_place, over);
      return;
    }
  }
  Config* current = base.find(key);
  const bool is_part = over.as_table() != nullptr || over.as_text() != nullptr;
  const bool was_part =
      current != nullptr && (current->as_table() != nullptr || current->as_text() != nullptr);
  const bool both_texts = was_part && current->as_text() != nullptr && over.as_text() != nullptr;
  if (!is_part || !was_part || both_texts) {
    base.set(key, entry.key_place, opened(over, where));
    return;
  }
  put_part(*current, where, as_table(over), entry.key_place);
}

/// A table over a table or the name of a part.
void Merger::put_part(Config& current, const std::string& at, const Config& over,
                      const Place& key_place) {
  open_part(current);
  const std::string* use = over.use();
  const bool other = over.find("use") != nullptr &&
                     (current.use() == nullptr || use == nullptr || *current.use() != *use);
  if (other && at == "data") {
    if (current.find("use") != nullptr) drop_dataset(current);
  } else if (other) {
    const bool is_default =
        current.find("use") == nullptr && use != nullptr && *use == default_part(at);
    if (!is_default) current = Config::table(key_place);
  }
  merge_table(current, over, at);
}

/// Keys of [schedule] are addresses, so a step down is only what goes beyond one that is there.
void Merger::assign_schedule(Config& base, const std::string& target, const Config::Entry& entry) {
  if (entry.value.is_false()) {
    if (base.find(target) != nullptr) return base.erase(target);
    std::vector<std::string> targets;
    for (const Config::Entry& it : *base.as_table()) targets.push_back(it.key);
    return problems_.add(entry.key_place, fmt::format("no schedule of '{}' to remove{}", target,
                                                      registry::did_you_mean(target, targets)));
  }
  for (Config::Entry& there : *base.as_table()) {
    if (target.starts_with(there.key + ".")) {
      const Path path = split_address(std::string_view(target).substr(there.key.size() + 1));
      open_part(there.value);
      if (there.value.as_table() == nullptr) break;
      if (path.size() == 1 && path[0] == "use") {
        Config part = Config::table(entry.value.place());
        part.set("use", entry.key_place, entry.value);
        return put_part(there.value, "schedule." + there.key, part, entry.key_place);
      }
      return assign(there.value, "schedule." + there.key, path, 0, entry);
    }
  }
  const bool is_address = entry.value.as_table() != nullptr && entry.value.find("use") == nullptr &&
                          base.find(target) == nullptr && !entry.value.as_table()->empty();
  if (!is_address) return put(base, "schedule", target, entry);
  for (const Config::Entry& inner : *entry.value.as_table())
    assign_schedule(base, target + "." + inner.key, inner);
}

void Merger::assign_in_list(Config& list, const std::string& at, const Path& path, std::size_t step,
                            const Config::Entry& entry) {
  const std::string& name = path[step];
  if (step + 1 == path.size()) return put_in_list(*list.as_list(), at, name, entry);
  Config* found = find_entry(*list.as_list(), name);
  if (found == nullptr) {
    return problems_.add(entry.key_place,
                         fmt::format("{} has no entry '{}'{}", at, name,
                                     registry::did_you_mean(name, entry_names(list))));
  }
  open_part(*found);
  if (step + 2 == path.size() && path[step + 1] == "use") {
    Config part = Config::table(entry.value.place());
    part.set("use", entry.key_place, entry.value);
    return put_in_list(*list.as_list(), at, name, {name, entry.key_place, std::move(part)});
  }
  assign(*found, below(at, name), path, step + 1, entry);
}

/// `"callback.ema" = ...`: changes, adds, replaces or (false) removes one entry.
void Merger::put_in_list(Config::List& list, const std::string& at, const std::string& name,
                         const Config::Entry& entry) {
  Config* found = find_entry(list, name);
  const bool adds = entry.value.find("use") != nullptr || entry.value.as_text() != nullptr;
  if (found == nullptr && !adds) {
    const auto hint = registry::did_you_mean(name, entry_names(Config(list, {})));
    return problems_.add(entry.key_place,
                         fmt::format("{} has no entry '{}'{}{}", at, name, hint,
                                     entry.value.is_false() ? "" : "; to add one, give it `use`"));
  }
  if (entry.value.is_false()) {
    std::erase_if(list, [&](const Config& it) { return entry_name(it) == name; });
    return;
  }
  if (!adds && entry.value.as_table() == nullptr) {
    return problems_.add(
        entry.value.place(),
        fmt::format("{}.{} is {}, expected the name of a part, a table, or false to "
                    "remove it",
                    at, name, entry.value.what()));
  }
  if (found == nullptr) {
    list.push_back(opened(as_table(entry.value), below(at, name)));
    found = &list.back();
  } else {
    put_part(*found, below(at, name), as_table(entry.value), entry.key_place);
  }
  if (entry_name(*found) == name) return;
  if (found->find("name") != nullptr) {
    return problems_.add(found->find("name")->place(),
                         fmt::format("the entry '{}' of {} has another `name`", name, at));
  }
  found->set("name", entry.key_place, Config::text(name, entry.key_place));
}

/// A copy whose keys with dots are opened up into tables.
Config Merger::opened(const Config& value, const std::string& at) {
  if (value.as_table() != nullptr) {
    Config table = Config::table(value.place());
    merge_table(table, value, at);
    return table;
  }
  if (value.as_list() == nullptr) return value;
  Config::List list;
  for (const Config& element : *value.as_list()) list.push_back(opened(element, at + "."));
  return {std::move(list), value.place()};
}

const Config* at_address(const Config& root, std::string_view address, Place* nearest) {
  const Config* here = &root;
  std::string at;
  const std::vector<std::string> path = split_address(address);
  for (std::size_t step = 0; step < path.size(); ++step) {
    const Config* next = nullptr;
    at = below(at, path[step]);
    if (here->as_list() != nullptr) {
      for (const Config& entry : *here->as_list()) {
        if (entry_name(entry) == path[step]) next = &entry;
      }
    } else if (at.starts_with("schedule.") && here == root.find("schedule")) {
      for (std::size_t end = path.size(); end > step && next == nullptr; --end) {
        const std::string target =
            rest({path.begin(), path.begin() + static_cast<std::ptrdiff_t>(end)}, step);
        next = here->find(target);
        if (next != nullptr) step = end - 1;
      }
    } else if (here->as_text() != nullptr &&
               (path[step] == "use" || path[step] == *here->as_text())) {
      next = here;
    } else {
      next = here->find(path[step]);
    }
    if (next == nullptr) return nullptr;
    here = next;
    if (nearest != nullptr) *nearest = here->place();
  }
  return path.empty() ? nullptr : here;
}

}  // namespace paribus
