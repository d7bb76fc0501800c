// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "study/config.h"
#include "study/problems.h"

namespace paribus {

/// What an ablation switches: an entry of a list or a schedule (off: removed), or two values.
struct Factor {
  std::string address;
  Place place;
  Config off;
  std::optional<Config> on;  // else what the study holds

  /// "no ema", "momentum=0.0", by a name for the factor.
  [[nodiscard]] std::string off_text(const std::string& name) const;
  /// "only ema", "momentum=0.9".
  [[nodiscard]] std::string on_text(const std::string& name) const;
};

/// Reads a list of factors, called `key` in messages; `place` is where it should be. What is no
/// factor is said and left out.
std::vector<Factor> factors_of(const Config* list, const std::string& key, const Place& place,
                               Problems& problems);

/// The end of each address that says enough: "ema", or "inner.lr" where another ends in "lr".
std::vector<std::string> short_names(const std::vector<Factor>& factors);

}  // namespace paribus
