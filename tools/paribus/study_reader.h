// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "results/view.h"

namespace paribus {

/// Runs a reading command: 2 and a message on stderr where the request was wrong, else what
/// `command` returns.
int guarded(const std::function<int()>& command);

/// Reads a study and says on stderr which of its journals are damaged.
results::StudyRecord read_study_aloud(const std::string& dir);

/// The same of its tables alone, which takes milliseconds also where there are 100,000 trials.
results::StudyView read_view_aloud(const std::string& dir);

nlohmann::json json_of(const results::Cell& cell);

/// Prints JSON on stdout; text that isn't UTF-8 is replaced, as JSON has no place for it.
void print_json(const nlohmann::json& json);

/// JSON has no NaN and no infinity: null.
nlohmann::json json_number(double value);

}  // namespace paribus
