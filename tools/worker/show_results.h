// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "paribus/dataset.h"
#include "paribus/factory.h"

namespace paribus::worker {

/// What a trained model makes of the validation split, for `show_results`: some items with its
/// predictions, and where there are classes the confusion matrix.
nlohmann::json show_results(const nlohmann::json& request, const Dataset& dataset,
                            const PartFactory& factory);

}  // namespace paribus::worker
