// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "stats/compare.h"

namespace paribus::stats {

/// Every number of a comparison, as `paribus compare --json` and the report have it; what isn't
/// finite is null.
nlohmann::json to_json(const Comparison& comparison);

/// How the study's test is called in a sentence.
const char* test_name(const Comparison& comparison);

}  // namespace paribus::stats
