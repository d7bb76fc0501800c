// SPDX-License-Identifier: Apache-2.0
#include "study/arms.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "registry/nearest.h"
#include "study/ablate.h"
#include "study/recipe.h"
#include "study/settings.h"

namespace paribus {
namespace {

constexpr int kMaxDepth = 16;                  // of references within what they stand for
constexpr std::size_t kMaxCopied = 1'000'000;  // values that references of one study may bring in

/// The top-level place that an address lies in: what `@arm` there means in the other arm.
std::string place_of(const std::string& address) {
  const std::vector<std::string> path = split_address(address);
  if (path.empty()) return address;
  if (path[0] == "schedule") return address;
  std::size_t parts = is_part_list(path[0]) ? 2 : 1;
  if (path.size() > 1 && path[0] == "data" && path[1] == "transforms") parts = 3;
  std::string place;
  for (std::size_t i = 0; i < std::min(parts, path.size()); ++i)
    place += fmt::format("{}{}", i == 0 ? "" : ".", path[i]);
  return place;
}

bool changes_something(const ArmText& arm) {
  return std::any_of(arm.overlays.begin(), arm.overlays.end(), [](const Config& overlay) {
    return overlay.as_table() == nullptr || !overlay.as_table()->empty();
  });
}

/// Replaces `@arm` by what that arm holds.
class References {
 public:
  References(const Document& document, Problems& problems)
      : document_(document), problems_(problems) {}

  std::vector<Config> overlays_of(const ArmText& arm) {
    std::vector<Config> result;
    for (const Config& overlay : arm.overlays) result.push_back(followed(overlay, ""));
    return with_recipe(std::move(result), problems_);
  }

 private:
  Config followed(const Config& value, const std::string& at) {
    if (const std::string* word = value.as_text()) {
      return word->starts_with('@') ? target(word->substr(1), at, value.place()) : value;
    }
    if (const Config::List* list = value.as_list()) return followed(*list, value.place());
    if (value.as_table() == nullptr) return value;
    Config result = Config::table(value.place());
    const Config* use = value.find("use");
    const bool is_reference =
        use != nullptr && use->as_text() != nullptr && use->as_text()->starts_with('@');
    if (is_reference) result = target(use->as_text()->substr(1), at, use->place());
    for (const Config::Entry& entry : *value.as_table()) {
      if (is_reference && entry.key == "use") continue;
      Config inner = followed(entry.value, at.empty() ? entry.key : at + "." + entry.key);
      if (!is_reference) {
        result.set(entry.key, entry.key_place, std::move(inner));
        continue;
      }
      if (const std::string* word =
              result.as_text()) {  // `use = "@arm"` and a change: opened up to take it
        Config table = Config::table(result.place());
        table.set("use", result.place(), Config::text(*word, result.place()));
        result = std::move(table);
      }
      if (result.as_table() != nullptr)
        Merger(problems_).set(result, {entry.key, entry.key_place, std::move(inner)});
    }
    return result;
  }

  Config followed(const Config::List& list, const Place& place) {
    Config::List result;
    for (const Config& element : list) {
      const std::string* word = element.use();
      if (word != nullptr && word->starts_with('@')) {
        problems_.add(
            element.place(),
            fmt::format(
                "'{}' can't stand in a list; name the entry, e.g. \"callback.ema\" = \"{}\"", *word,
                *word));
        continue;
      }
      result.push_back(element);
    }
    return {std::move(result), place};
  }

  /// What arm `name` holds at the place in which `at` lies.
  Config target(const std::string& name, const std::string& at, const Place& here) {
    const std::string place = place_of(at);
    const Config nothing = Config::text(kUnresolved, here);
    const std::optional<Config>& whole = merged(name, here);
    if (!whole) return nothing;
    const Config* found = at_address(*whole, place);
    if (found != nullptr) {
      copied_ += found->size();
      if (copied_ <= kMaxCopied) return *found;
      problems_.add(here, fmt::format("references bring in more than {} values", kMaxCopied));
      return nothing;
    }
    if (!default_part(place).empty()) return Config::text(default_part(place), here);
    problems_.add(here, fmt::format("'@{}': that arm has no {}", name, place));
    return nothing;
  }

  /// Near misses, or else what there is.
  [[nodiscard]] std::string hint(const std::string& name) const {
    constexpr std::size_t kShown = 20;
    std::vector<std::string> names{"base"};
    for (const ArmText& it : document_.arms) names.push_back(it.name);
    const std::string near = registry::did_you_mean(name, names);
    if (!near.empty() || names.size() > kShown) return near;
    return fmt::format("; arms: {}", fmt::join(names, ", "));
  }

  /// The whole configuration of an arm; nothing where there is none or it refers to itself.
  const std::optional<Config>& merged(const std::string& name, const Place& here) {
    static const std::optional<Config> kNothing;
    const ArmText* arm = document_.arm(name);
    if (arm == nullptr && name != "base") {
      problems_.add(here, fmt::format("no arm is named '{}'{}", name, hint(name)));
      return kNothing;
    }
    if (name == "base" && arm != nullptr && changes_something(*arm)) {
      problems_.add(here,
                    "'@base' may mean the file without any arm or the arm 'base', which changes "
                    "something; call that arm otherwise");
      return kNothing;
    }
    const auto [it, fresh] = merged_.try_emplace(name);
    if (!fresh) {
      for (const std::string& waiting : chain_) {
        if (waiting == name)
          return problems_.add(here, "arms refer to each other in a circle: " + circle(name)),
                 kNothing;
      }
      return it->second;
    }
    if (chain_.size() == kMaxDepth) {
      problems_.add(here, fmt::format("more than {} arms refer to each other", kMaxDepth));
      return kNothing;
    }
    chain_.push_back(name);
    Config whole = document_.root;
    for (const Config& overlay : arm == nullptr ? std::vector<Config>{} : overlays_of(*arm)) {
      Problems said_elsewhere("");
      Merger(said_elsewhere).merge(whole, overlay);
    }
    chain_.pop_back();
    it->second = std::move(whole);
    return it->second;
  }

  std::string circle(const std::string& name) const {
    std::string text;
    for (const std::string& waiting : chain_) {
      if (waiting == name || !text.empty()) text += waiting + " -> ";
    }
    return text + name;
  }

  const Document& document_;
  Problems& problems_;
  std::map<std::string, std::optional<Config>> merged_;
  std::vector<std::string> chain_;
  std::size_t copied_ = 0;
};

}  // namespace

Config Variant::over(Config base, Problems& problems) const {
  Merger merger(problems);
  for (const Config& overlay : overlays) merger.merge(base, overlay);
  return base;
}

std::vector<Variant> arms_of(const Document& document, Design& design, Problems& problems) {
  const Config* ablate = document.root.find("ablate");
  const Config* written = document.root.find("design");
  if (written != nullptr && !document.has_arms)
    problems.add(written->place(), "[design] speaks of [arms], and there are none");
  if (document.has_arms && document.has_sweep) {
    problems.add(document.sweep_place,
                 "a study has arms or a sweep, not both; write the sweep's values as arms, or two "
                 "studies with `extends`");
  }
  if (ablate != nullptr && (document.has_arms || document.has_sweep)) {
    problems.add(ablate->place(),
                 "[ablate] writes the arms itself: it can't stand beside arms or a sweep");
    return {};
  }
  if (ablate != nullptr) {
    std::vector<Variant> arms = ablated(*ablate, design, problems);
    for (Variant& arm : arms) arm.overlays = with_recipe(std::move(arm.overlays), problems);
    return arms;
  }
  if (document.has_arms && document.arms.empty())
    problems.add(document.arms_place, "[arms] has no arm");
  if (document.arms.empty()) return {{"base", {}, {}}};
  if (written != nullptr) design = written_design(*written, document.arms.size(), problems);
  References references(document, problems);
  std::vector<Variant> arms;
  for (const ArmText& arm : document.arms)
    arms.push_back({arm.name, arm.place, references.overlays_of(arm)});
  return arms;
}

}  // namespace paribus
