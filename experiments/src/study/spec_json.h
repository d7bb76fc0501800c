// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "paribus/spec.h"

namespace paribus {

/// One trial's configuration as JSON, keys sorted: its canonical form, for ids, journals and the
/// worker. A double that holds a whole number keeps its point, so types survive; infinities and NaN
/// are strings.
nlohmann::json to_json(const TrialSpec& spec);
nlohmann::json to_json(const PartSpec& spec);

/// A parameter's value as it stands there, with its type.
nlohmann::json tagged_json(const Value& value);
/// Where the value of a parameter of the optimizer or of a schedule stands in a trial's JSON.
/// Throws Error if it has no such parameter.
nlohmann::json::json_pointer pointer_to(const TrialSpec& spec, const std::string& address);

/// Back again. Throws Error naming the key that is missing or wrong.
TrialSpec trial_spec_from_json(const nlohmann::json& json);
PartSpec part_spec_from_json(const nlohmann::json& json);

}  // namespace paribus
