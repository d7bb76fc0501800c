// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "paribus/spec.h"

namespace paribus::worker {

/// What a trial's parts read besides the data set: the SHA-256 of each file that a text parameter
/// of theirs names, by the parameter's address. The data set has a fingerprint of its own.
nlohmann::json named_files(const TrialSpec& spec);

}  // namespace paribus::worker
