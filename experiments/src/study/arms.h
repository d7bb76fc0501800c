// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "study/design.h"
#include "study/document.h"

namespace paribus {

/// Stands where a reference leads nowhere, once that has been said.
inline constexpr const char* kUnresolved = "@";

/// What makes one arm, or one point of a sweep, from the base.
struct Variant {
  std::string name;
  Place place;
  std::vector<Config> overlays;  // in this order, references followed

  [[nodiscard]] Config over(Config base, Problems& problems) const;
};

/// The arms of [arms] with every `@arm` replaced by what it stands for, or those that [ablate]
/// writes; one of name "base" that changes nothing where there is neither. The baseline comes
/// first. `design`: what a factorial ablation, or [design], says of them.
std::vector<Variant> arms_of(const Document& document, Design& design, Problems& problems);

}  // namespace paribus
