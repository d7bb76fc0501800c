// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "driver/progress.h"
#include "paribus/dataset.h"
#include "paribus/factory.h"

namespace paribus::worker {

inline constexpr int kDone = 0, kFailed = 1, kStopped = 75, kPaused = 76;

/// Runs one trial to its end in this process, recorded in its journal, resumed where an earlier
/// process left it. `request` is the driver's `start` (docs/internals.md). Returns the exit status
/// of the process.
int run_trial(const nlohmann::json& request, const Dataset& dataset, const PartFactory& factory,
              driver::ProgressSlot& slot);

/// A learning-rate sweep for `lr_find`: points and suggestion.
nlohmann::json find_rate(const nlohmann::json& request, const Dataset& dataset,
                         const PartFactory& factory);

/// Facts of `inspect`.
nlohmann::json inspect(const nlohmann::json& request, const Dataset& dataset,
                       const PartFactory& factory);

}  // namespace paribus::worker
