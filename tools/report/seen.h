// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "results/study_record.h"

namespace paribus::report {

/// What was sampled of the machine and its trials (`resources`), and what trials recorded that is
/// more than numbers (`interpretations`, `pictures`, `histograms`): of these the last ones of some
/// trials, first of all arms one each. Reads their journals.
nlohmann::json seen_of(const results::StudyRecord& study);

/// The same of several studies, each known by its label.
nlohmann::json seen_of(const std::vector<results::StudyRecord>& studies,
                       const std::vector<std::string>& labels);

}  // namespace paribus::report
