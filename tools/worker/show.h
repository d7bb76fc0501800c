// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "paribus/dataset.h"
#include "paribus/factory.h"

namespace paribus::worker {

/// Items of a batch for `show_data`: through the transforms, as the model gets them, but with the
/// scale of the data set's own values.
nlohmann::json show_data(const nlohmann::json& request, const Dataset& dataset,
                         const PartFactory& factory);

/// Whether its first input holds bytes. REQUIRES: the split has an item.
bool comes_as_bytes(const Dataset& dataset, Split split);

}  // namespace paribus::worker
