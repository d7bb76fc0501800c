// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "study/arms.h"
#include "study/resolve.h"
#include "study/study.h"

namespace paribus {

/// Resolves arms and points. Of points that differ in values of parameters alone only some are
/// resolved in full: the others take the same shape with their own values, once it is shown that
/// this gives what resolving gives. A study of 100,000 points so costs little more than one of
/// hundred.
class VariantResolver {
 public:
  /// All that is given must outlive it. `study`: the addresses it sweeps, and its trials' threads.
  VariantResolver(const Config& base, const Study& study, Resolver& resolver,
                  const registry::Catalog& catalog, Problems& problems)
      : base_(base), study_(study), resolver_(resolver), catalog_(catalog), problems_(problems) {}

  /// One trial of the variant, with seed 0. `arm` is named where a problem depends on it.
  PlannedTrial resolve(const Variant& variant, const std::string& arm);

 private:
  /// Points that hold the same parts.
  struct Group {
    std::shared_ptr<const TrialShape> shape;
    std::map<std::string, Value> values;  // of the point that the shape was made from
    std::set<std::string> shown;  // addresses whose values are known to go where they are put
    bool is_alike = true;         // until a point shows otherwise
  };

  PlannedTrial in_full(const Variant& variant, const std::string& arm);
  [[nodiscard]] std::optional<PlannedTrial> by_shape(const Variant& variant,
                                                     const Group& group) const;
  void compare(const PlannedTrial& quick, const PlannedTrial& full, Group& group) const;
  [[nodiscard]] std::string parts_of(const Variant& variant) const;
  [[nodiscard]] Value shown_value(const TrialSpec& spec, const Config::Entry& entry) const;

  const Config& base_;
  const Study& study_;
  Resolver& resolver_;
  const registry::Catalog& catalog_;
  Problems& problems_;
  std::set<std::string> free_;  // swept addresses that hold values of parameters, not parts
  std::unordered_map<std::string, Group> groups_;
  bool is_first_ = true;
};

}  // namespace paribus
