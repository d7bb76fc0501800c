// SPDX-License-Identifier: Apache-2.0
#include "study/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "registry/nearest.h"
#include "study/read_toml.h"
#include "study/recipe.h"
#include "study/settings.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxChain = 32;
constexpr std::size_t kMaxArms = 1000;

/// The files of an `extends` chain, the study itself first.
std::vector<Config> read_chain(const fs::path& path) {
  std::vector<Config> files{read_toml(path)};
  std::vector<fs::path> seen{fs::weakly_canonical(path)};
  fs::path here = path;
  while (const Config* extends = files.back().find("extends")) {
    const Place place = extends->place();
    const auto fail = [&](const std::string& message) {
      throw StudyError({{*place.file, place.line, place.column, printable(message)}});
    };
    const std::string* name = extends->as_text();
    if (name == nullptr)
      fail(fmt::format("extends is {}, expected the path of a study file", extends->what()));
    here = (here.parent_path() / *name).lexically_normal();
    std::error_code code;
    const fs::path canonical = fs::weakly_canonical(here, code);
    const auto again = std::find(seen.begin(), seen.end(), canonical);
    if (again != seen.end()) {
      std::string cycle;
      for (auto it = again; it != seen.end(); ++it) cycle += it->filename().string() + " -> ";
      fail(fmt::format("extends in a circle: {}{}", cycle, again->filename().string()));
    }
    if (files.size() == kMaxChain)
      fail(fmt::format("more than {} files extend each other", kMaxChain));
    files.push_back(read_toml(here, place));
    seen.push_back(canonical);
  }
  return files;
}

bool is_axis(const Config& value) {
  if (value.as_table() == nullptr) return true;
  return std::any_of(value.as_table()->begin(), value.as_table()->end(),
                     [](const Config::Entry& entry) {
                       return entry.key == "values" || entry.key == "range" || entry.key == "log" ||
                              entry.key == "n" || entry.key == "step";
                     });
}

/// `optimizer.lr = [...]` without quotes is a table in a table: the address is its path.
void open_axes(Config& axes, const std::string& address, const Config::Entry& entry) {
  const bool is_empty = entry.value.as_table() != nullptr && entry.value.as_table()->empty();
  if (is_axis(entry.value) || is_empty) {
    axes.set(address, entry.key_place, entry.value);
    return;
  }
  for (const Config::Entry& inner : *entry.value.as_table())
    open_axes(axes, address + "." + inner.key, inner);
}

class Reader {
 public:
  Reader(Document& document, Problems& problems)
      : document_(document), problems_(problems), merger_(problems) {}

  void add_file(const Config& file) {
    std::map<std::string, int> lines;
    refuse_doubles(file, "", lines);
    for (const Config::Entry& entry : *file.as_table()) {
      if (entry.key != "extends") add(entry);
    }
  }

  void add_override(const std::string& text) {
    Place place{std::make_shared<const std::string>(printable("-s " + text)), 0, 0};
    const std::size_t equals = text.find('=');
    std::string key = text.substr(0, equals);
    std::erase_if(key, [](char c) { return c == '"' || c == '\''; });
    key.erase(0, key.find_first_not_of(' '));
    key.erase(key.find_last_not_of(' ') + 1);
    if (equals == std::string::npos || key.empty())
      return problems_.add(place, "expected key=value");
    if (key == "extends") return problems_.add(place, "extends has its place in a file");
    const std::size_t begin = text.find_first_not_of(' ', equals + 1);
    Config value = parse_value(begin == std::string::npos ? "\"\"" : text.substr(begin), place);
    if (split_address(key).empty())
      return merger_.set(document_.root, {key, place, value});  // says what is wrong
    if (key.starts_with("arms.")) return add_to_arm(key.substr(5), {key, place, std::move(value)});
    add({key, place, std::move(value)});
  }

 private:
  /// An address written both as tables and in quotes: one of its values would be lost without a
  /// word.
  void refuse_doubles(const Config& table, const std::string& at,
                      std::map<std::string, int>& lines) {
    for (const Config::Entry& entry : *table.as_table()) {
      const std::string address = at.empty() ? entry.key : at + "." + entry.key;
      if (entry.value.as_table() != nullptr) {
        refuse_doubles(entry.value, address, lines);
        continue;
      }
      const auto [first, is_new] = lines.try_emplace(address, entry.key_place.line);
      if (is_new) continue;
      problems_.add(entry.key_place,
                    fmt::format("'{}' is set a second time; the first is in line {}", address,
                                first->second));
    }
  }

  void add(const Config::Entry& entry) {
    const std::string first = entry.key.substr(0, entry.key.find('.'));
    if (first != "arms" && first != "sweep") return merger_.set(document_.root, entry);
    if (first != entry.key) {
      Config table = Config::table(entry.key_place);
      table.set(entry.key.substr(first.size() + 1), entry.key_place, entry.value);
      return add({first, entry.key_place, std::move(table)});
    }
    if (entry.value.as_table() == nullptr) {
      return problems_.add(entry.value.place(),
                           fmt::format("{} is {}, expected a table", first, entry.value.what()));
    }
    first == "arms" ? add_arms(entry) : add_sweep(entry);
  }

  void add_arms(const Config::Entry& arms) {
    document_.has_arms = true;
    document_.arms_place = arms.key_place;
    for (const Config::Entry& entry : *arms.value.as_table()) {
      if (document_.arms.size() == kMaxArms) {
        return problems_.add(entry.key_place, fmt::format("more than {} arms", kMaxArms));
      }
      add_arm(entry);
    }
  }

  void add_arm(const Config::Entry& entry) {
    if (entry.key.empty() || entry.key.size() > 200) {
      return problems_.add(entry.key_place, "an arm's name has 1 to 200 characters");
    }
    if (entry.value.as_table() == nullptr) {
      return problems_.add(
          entry.value.place(),
          fmt::format("arm '{}' is {}, expected a table of what it changes, {{}} for "
                      "nothing",
                      entry.key, entry.value.what()));
    }
    auto found = std::find_if(document_.arms.begin(), document_.arms.end(),
                              [&](const ArmText& arm) { return arm.name == entry.key; });
    if (found == document_.arms.end())
      found = document_.arms.insert(found, {entry.key, entry.key_place, {}});
    found->overlays.push_back(entry.value);
  }

  /// `arms.NAME.address=value`; the name may hold dots.
  void add_to_arm(const std::string& address, Config::Entry entry) {
    ArmText* found = nullptr;
    std::vector<std::string> names;
    for (ArmText& arm : document_.arms) {
      names.push_back(arm.name);
      if (address.starts_with(arm.name + ".") && (!found || arm.name.size() > found->name.size()))
        found = &arm;
    }
    if (found != nullptr) {
      Config overlay = Config::table(entry.key_place);
      overlay.set(address.substr(found->name.size() + 1), entry.key_place, std::move(entry.value));
      found->overlays.push_back(std::move(overlay));
      return;
    }
    const std::string name = address.substr(0, address.find('.'));
    if (entry.value.as_table() == nullptr) {
      return problems_.add(entry.key_place, fmt::format("no arm is named '{}'{}", name,
                                                        registry::did_you_mean(name, names)));
    }
    document_.has_arms = true;
    add_arm({address, entry.key_place, std::move(entry.value)});
  }

  void add_sweep(const Config::Entry& sweep) {
    document_.has_sweep = true;
    document_.sweep_place = sweep.key_place;
    for (const Config::Entry& entry : *sweep.value.as_table()) {
      const bool is_search = entry.key == "search" || entry.key.starts_with("search.");
      if (is_search) {
        merger_.set(document_.sweep, entry);
      } else if (entry.key == "zip" && entry.value.as_table() != nullptr) {
        add_zip(entry);
      } else {
        open_axes(document_.sweep, entry.key, entry);
      }
    }
  }

  void add_zip(const Config::Entry& zip) {
    Config* table = document_.sweep.find("zip");
    if (table == nullptr)
      table = &document_.sweep.set("zip", zip.key_place, Config::table(zip.key_place));
    for (const Config::Entry& entry : *zip.value.as_table()) open_axes(*table, entry.key, entry);
  }

  Document& document_;
  Problems& problems_;
  Merger merger_;
};

}  // namespace

const ArmText* Document::arm(const std::string& name) const {
  const auto found =
      std::find_if(arms.begin(), arms.end(), [&](const ArmText& arm) { return arm.name == name; });
  return found == arms.end() ? nullptr : &*found;
}

Document read_document(const fs::path& path, const std::vector<std::string>& overrides,
                       Problems& problems) {
  const std::vector<Config> files = read_chain(path);
  Document document;
  Reader reader(document, problems);
  for (auto file = files.rbegin(); file != files.rend(); ++file) reader.add_file(*file);
  const auto is_recipe = [](const std::string& text) {  // of an override, however it is spelt
    std::string key = text.substr(0, text.find('='));
    std::erase_if(key, [](char c) { return c == '"' || c == '\'' || c == ' ' || c == '\t'; });
    return (key == "train" && text.find("recipe") != std::string::npos) || key == "train.recipe" ||
           key.starts_with("train.recipe.");
  };
  for (const std::string& text : overrides) {
    if (is_recipe(text)) reader.add_override(text);
  }
  expand_recipe(document.root, problems);  // what it stands for can be overridden
  for (const std::string& text : overrides) {
    if (!is_recipe(text)) reader.add_override(text);
  }
  return document;
}

}  // namespace paribus
