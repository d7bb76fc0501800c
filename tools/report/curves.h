// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "results/study_record.h"

namespace paribus::report {

/// Learning curves: of each metric and arm every seed's line and, of two seeds or more, their mean
/// with the least and the greatest of them. Of a large study some trials, evenly chosen, and it
/// says of how many; of each line no more points than a screen can show.
nlohmann::json curves_of(const results::StudyRecord& study);

/// The shortest number that is the same as float32 where the value is one, else the value; null if
/// it isn't finite.
nlohmann::json short_number(double value);

}  // namespace paribus::report
