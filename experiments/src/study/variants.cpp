// SPDX-License-Identifier: Apache-2.0
#include "study/variants.h"

#include <algorithm>

#include "study/spec_json.h"
#include "study/sweep.h"
#include "study/targets.h"

namespace paribus {

TrialSpec PlannedTrial::spec() const {
  TrialSpec made = shape->spec;
  for (const std::string& address : shape->free) set_value(made, address, values.at(address));
  made.seed = seed;
  return made;
}

PlannedTrial VariantResolver::resolve(const Variant& variant, const std::string& arm) {
  if (study_.swept.empty()) return in_full(variant, arm);
  if (is_first_) {
    const PlannedTrial first = in_full(variant, arm);
    is_first_ = false;
    for (const std::string& address : study_.swept) {
      if (value_at(first.shape->spec, address)) free_.insert(address);
    }
  }
  const auto [entry, is_new] = groups_.try_emplace(parts_of(variant));
  Group& group = entry->second;
  if (is_new) {
    PlannedTrial made = in_full(variant, arm);
    auto shape = std::make_shared<TrialShape>(*made.shape);
    shape->free.assign(free_.begin(), free_.end());
    for (const std::string& address : free_) {
      const auto held = value_at(shape->spec, address);
      const auto wanted = made.values.find(address);
      if (!held || wanted == made.values.end() || *held != wanted->second) group.is_alike = false;
    }
    if (!group.is_alike) return made;
    group.shape = made.shape = std::move(shape);
    group.values = made.values;
    return made;
  }
  std::optional<PlannedTrial> quick;
  if (group.is_alike) quick = by_shape(variant, group);
  if (!quick) return in_full(variant, arm);  // which says what is wrong
  const bool is_shown = std::all_of(free_.begin(), free_.end(), [&](const std::string& address) {
    return group.shown.contains(address) || quick->values.at(address) == group.values.at(address);
  });
  if (is_shown) return std::move(*quick);
  PlannedTrial full = in_full(variant, arm);
  compare(*quick, full, group);
  return group.is_alike ? std::move(*quick) : full;
}

PlannedTrial VariantResolver::in_full(const Variant& variant, const std::string& arm) {
  auto shape = std::make_shared<TrialShape>();
  shape->spec = resolver_.trial(variant.over(base_, problems_), arm);
  shape->spec.threads = study_.threads;
  PlannedTrial trial{variant.name, 0, {}, {}};
  if (!study_.swept.empty()) {
    for (const Config::Entry& entry : *variant.overlays[0].as_table())
      trial.values[entry.key] = shown_value(shape->spec, entry);
  }
  trial.shape = std::move(shape);
  return trial;
}

/// Nothing where a value is not what its parameter takes.
std::optional<PlannedTrial> VariantResolver::by_shape(const Variant& variant,
                                                      const Group& group) const {
  PlannedTrial trial{variant.name, 0, {}, group.shape};
  for (const Config::Entry& entry : *variant.overlays[0].as_table()) {
    if (!free_.contains(entry.key)) {
      trial.values[entry.key] = group.values.at(entry.key);
      continue;
    }
    const registry::FieldSchema* field = field_at(group.shape->spec, entry.key, catalog_);
    Value plain;
    if (field == nullptr || !entry.value.to_value(plain)) return {};
    try {
      trial.values[entry.key] = registry::checked(*field, plain);
    } catch (const Error&) {
      return {};
    }
  }
  return trial;
}

/// Whether values go where they are put: an address may lead elsewhere than it seems, or what it
/// sets be replaced by another.
void VariantResolver::compare(const PlannedTrial& quick, const PlannedTrial& full,
                              Group& group) const {
  const bool same = quick.values == full.values && to_json(quick.spec()) == to_json(full.spec());
  if (!same) {
    group.is_alike = false;
    return;
  }
  for (const std::string& address : free_) {
    if (quick.values.at(address) != group.values.at(address)) group.shown.insert(address);
  }
}

/// What a point says of parts: all but the values of parameters.
std::string VariantResolver::parts_of(const Variant& variant) const {
  std::string text;
  for (const Config::Entry& entry : *variant.overlays[0].as_table()) {
    Value value;
    const bool is_free = free_.contains(entry.key) && entry.value.to_value(value);
    text += is_free ? std::string("*\n") : entry.key + "=" + entry.value.toml() + "\n";
  }
  return text;
}

Value VariantResolver::shown_value(const TrialSpec& spec, const Config::Entry& entry) const {
  try {
    return swept_value(spec, entry, catalog_);
  } catch (const Error&) {
    return entry.value.toml();  // the resolver has said what is wrong with it
  }
}

}  // namespace paribus
