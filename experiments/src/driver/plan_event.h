// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "driver/check.h"

namespace paribus::driver {

/// What journal/study.log says of a study (docs/internals.md): its question, its arms or points
/// with what each changes, its trials. `environment` is what paribus.lock says.
nlohmann::json plan_of(const CheckedStudy& checked, const std::string& name,
                       const nlohmann::json& environment);

/// What came after the plan: the trials from number `from` on, which a search or
/// `seeds = "until decided"` added, and those of their arms that no earlier trial has.
nlohmann::json planned_of(const CheckedStudy& checked, std::size_t from);

}  // namespace paribus::driver
