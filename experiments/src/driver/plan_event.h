// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "driver/check.h"

namespace paribus::driver {

/// What journal/study.log says of a study (docs/internals.md): its question, its arms or points
/// with what each changes, its trials. `environment` is what paribus.lock says.
nlohmann::json plan_of(const CheckedStudy& checked, const std::string& name,
                       const nlohmann::json& environment);

/// Arms by number, in the order of their first trials.
class ArmNumbers {
 public:
  /// The number of an arm, and whether it was new.
  std::pair<std::size_t, bool> number(const std::string& arm);
  /// Meets the trials before `end` that it has not met.
  void meet(const std::vector<Trial>& trials, std::size_t end);

 private:
  std::unordered_map<std::string, std::size_t> numbers_;
  std::size_t met_ = 0;
};

/// What came after the plan: the trials from number `from` on, which a search or
/// `seeds = "until decided"` added, and those of their arms that no earlier trial has. `arms`, kept
/// from call to call, spares a long study to be gone through for each addition.
nlohmann::json planned_of(const CheckedStudy& checked, std::size_t from, ArmNumbers& arms);
nlohmann::json planned_of(const CheckedStudy& checked, std::size_t from);

}  // namespace paribus::driver
