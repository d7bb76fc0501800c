// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "paribus/factory.h"

namespace paribus::worker {

/// The reply to `prefixes` (docs/internals.md): of trials that differ in nothing but the numbers of
/// their schedules and in `train.epochs`, from which earlier one each may begin, and at which step.
/// The one that comes first goes on whole, each that leaves it names it and the steps they share.
nlohmann::json prefixes(const nlohmann::json& request, const PartFactory& factory);

/// What each schedule of a trial gives in its first steps, by target: those of model, loss and
/// optimizer, which training records.
std::map<std::string, std::vector<double>> driven_values(const TrialSpec& spec,
                                                         std::int64_t steps_per_epoch,
                                                         std::int64_t steps,
                                                         const PartFactory& factory);

}  // namespace paribus::worker
