// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "paribus/spec.h"
#include "registry/catalog.h"
#include "study/config.h"
#include "study/problems.h"
#include "study/settings.h"

namespace paribus {

/// Turns configurations into complete parts and trials, checked against the manifests: defaults
/// filled in, slots resolved. What is wrong goes to the problems; the result is then incomplete and
/// of no use.
class Resolver {
 public:
  Resolver(const registry::Catalog& catalog, Problems& problems)
      : catalog_(catalog), problems_(problems) {}

  /// `arm` is named where a problem depends on it.
  TrialSpec trial(const Config& root, const std::string& arm);
  /// Entries of a list of parts; the place may hold one part's name instead of a list.
  std::vector<PartSpec> parts(const std::string& kind, const std::string& address,
                              const Config* list);
  /// The part at a place of the study; `default_use` where it names none.
  std::optional<PartSpec> part(const std::string& kind, const std::string& address,
                               const Config* value, const std::string& default_use,
                               const Place& holder);
  /// [data]: the data set, its transforms, the keys beside them.
  void dataset(const Config& root, TrialSpec& trial);
  /// Whether a top-level place of the last trial holds a part that couldn't be made.
  [[nodiscard]] bool broken(const std::string& place) const { return broken_.contains(place); }

 private:
  using Fields = std::vector<registry::FieldSchema>;

  void schedules(const Config& root, TrialSpec& trial, const std::string& arm);
  const registry::PartSchema* schema_of(const std::string& kind, const Config* value,
                                        const std::string& default_use, const std::string& address,
                                        const Place& holder);
  void read_params(const registry::PartSchema& schema, const Config* table, const Place& place,
                   PartSpec& part);
  void read_slot(const registry::PartSchema& schema, const registry::FieldSchema& field,
                 const Config* value, const Place& place, PartSpec& part);
  void unknown_key(const registry::PartSchema& schema, const Config::Entry& entry,
                   const Fields& more);
  [[nodiscard]] bool is_own_key(const std::string& key, const PartSpec& part) const;

  const registry::Catalog& catalog_;
  Problems& problems_;
  int depth_ = 0;
  std::set<std::string>
      broken_;  // places of this trial where no part could be made: what is about them is moot
};

/// Reads the keys of a table that isn't a part. Unknown keys are left to the caller.
template <class Settings>
void read_settings(const std::vector<Setting<Settings>>& keys, const std::string& at,
                   const Config& table, Settings& settings, Problems& problems);

/// Checks one value, saying in `who`'s name what is wrong with it; nothing if it is.
std::optional<Value> checked_value(const registry::FieldSchema& field, const Config& value,
                                   const std::string& who, Problems& problems);

template <class Settings>
void read_settings(const std::vector<Setting<Settings>>& keys, const std::string& at,
                   const Config& table, Settings& settings, Problems& problems) {
  for (const Setting<Settings>& key : keys) {
    const Config* value = table.find(key.schema.name);
    if (value == nullptr) continue;
    if (const auto good = checked_value(key.schema, *value, at, problems)) key.set(settings, *good);
  }
}

}  // namespace paribus
