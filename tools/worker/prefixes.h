// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "paribus/factory.h"

namespace paribus::worker {

/// The reply to `prefixes` (docs/internals.md): of trials that differ in nothing but the numbers of
/// their schedules and in `train.epochs`, from which earlier one each may begin, and at which step.
/// The one that comes first goes on whole, each that leaves it names it and the steps they share.
nlohmann::json prefixes(const nlohmann::json& request, const PartFactory& factory);

}  // namespace paribus::worker
