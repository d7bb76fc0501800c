// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "paribus/spec.h"
#include "results/study_record.h"

namespace paribus::uplink {

/// A trial's configuration as trackers get it.
struct Flat {
  std::map<std::string, Value> parameters;  // by address; `optimizer`: the part's name
  nlohmann::json tables;                    // the same as nested tables
};

Flat flat(const TrialSpec& spec);
/// Of a trial whose configuration isn't known, the values that were swept.
Flat flat(const results::Trial& trial);

}  // namespace paribus::uplink
