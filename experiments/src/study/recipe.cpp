// SPDX-License-Identifier: Apache-2.0
#include "study/recipe.h"

#include <fmt/format.h>

#include "registry/nearest.h"
#include "study/merge.h"
#include "study/resolve.h"

namespace paribus {
namespace {

constexpr const char* kName = "fine_tune";

registry::FieldSchema number(const char* name, registry::FieldType type, Value value) {
  registry::FieldSchema field;
  field.name = name;
  field.type = type;
  field.default_value = std::move(value);
  field.min = 0;
  return field;
}

/// What the recipe's table may hold beside `use`.
const std::vector<registry::FieldSchema>& fields() {
  static const std::vector<registry::FieldSchema> kFields = [] {
    auto epochs = number("freeze_epochs", registry::FieldType::integer, std::int64_t{1});
    auto spread = number("lr_mult", registry::FieldType::real, 100.0);
    spread.min.reset(), spread.above = 0;
    return std::vector{epochs, spread};
  }();
  return kFields;
}

bool is_known(const Config& recipe, Problems& problems) {
  const std::string* use = recipe.use();
  if (use == nullptr) {
    problems.add(
        recipe.place(),
        fmt::format("train: 'recipe' is {}, expected the name of a recipe, or a table with "
                    "its `use`; recipes: {}",
                    recipe.what(), kName));
  } else if (*use != kName) {
    const std::string near = registry::did_you_mean(*use, {kName});
    problems.add(recipe.place(),
                 fmt::format("train: no recipe is named '{}'{}", use->substr(0, 60),
                             near.empty() ? fmt::format("; recipes: {}", kName) : near));
  }
  return use != nullptr && *use == kName;
}

/// The value of one of its keys: what is written, or the default.
Config value_of(const Config& recipe, const registry::FieldSchema& field, Problems& problems) {
  const Config* written = recipe.find(field.name);
  if (written != nullptr && checked_value(field, *written, "recipe fine_tune", problems))
    return *written;
  if (const auto* whole = std::get_if<std::int64_t>(&field.default_value))
    return {*whole, recipe.place()};
  return {std::get<double>(field.default_value), recipe.place()};
}

Config part(const char* use, const Place& place) {
  Config table = Config::table(place);
  table.set("use", place, Config::text(use, place));
  return table;
}

/// What the recipe stands for, by address.
Config keys_of(const Config& recipe, Problems& problems) {
  const Place& place = recipe.place();
  Config keys = Config::table(place);
  if (!is_known(recipe, problems)) return keys;
  for (const Config::Entry& entry :
       recipe.as_table() == nullptr ? Config::Table{} : *recipe.as_table()) {
    if (entry.key == "use" || find_field(fields(), entry.key) != nullptr) continue;
    problems.add(entry.key_place,
                 fmt::format("recipe {}: unknown key '{}'{}", kName, entry.key.substr(0, 60),
                             registry::did_you_mean(entry.key, names_of(fields()))));
  }
  const Config epochs = value_of(recipe, fields()[0], problems);
  const Config spread = value_of(recipe, fields()[1], problems);
  Config unfreeze = part("unfreeze", place), rates = part("rates", place);
  unfreeze.set("at", epochs.place(), Config(Config::List{epochs}, epochs.place()));
  const double most = spread.is_number() ? spread.number() : 1;
  rates.set("lowest", spread.place(), Config(1 / most, spread.place()));
  rates.set("norm_bias_decay", place, Config(0.0, place));
  Config cycles = part("fine_tune", place);
  cycles.set("freeze_epochs", epochs.place(), epochs);
  keys.set("callback.unfreeze", place, std::move(unfreeze));
  keys.set("callback.rates", place, std::move(rates));
  keys.set("schedule.optimizer.lr", place, std::move(cycles));
  return keys;
}

}  // namespace

void expand_recipe(Config& root, Problems& problems) {
  const Config* recipe = at_address(root, "train.recipe");
  if (recipe == nullptr) return;
  const Config keys = keys_of(*recipe, problems);
  for (const Config::Entry& entry : *keys.as_table()) {
    if (at_address(root, entry.key) == nullptr) Merger(problems).set(root, entry);
  }
}

std::vector<Config> with_recipe(std::vector<Config> overlays, Problems& problems) {
  Config together;
  Problems said_elsewhere("");
  for (const Config& overlay : overlays) Merger(said_elsewhere).merge(together, overlay);
  if (const Config* recipe = at_address(together, "train.recipe"))
    overlays.insert(overlays.begin(), keys_of(*recipe, problems));
  return overlays;
}

}  // namespace paribus
