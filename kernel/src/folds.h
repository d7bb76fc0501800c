// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "paribus/dataset.h"
#include "paribus/spec.h"

namespace paribus {

/// Takes the items of one fold out of `train`, and returns them: with as many of each class in each
/// fold as can be, drawn alike for every trial. Throws Error where there are no such folds.
std::vector<std::int64_t> hold_out(const Dataset& dataset, const DataSettings& settings,
                                   std::vector<std::int64_t>& train);

}  // namespace paribus
