// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "results/study_record.h"

namespace paribus::results {

/// The study that a `plan` event describes, its trials all planned. Throws Error naming the key
/// that is wrong.
StudyRecord read_plan(const nlohmann::json& event);

/// Adds the variants and trials of a `planned` event.
void read_planned(const nlohmann::json& event, StudyRecord& study);

/// Fills in what the journal of a trial and the driver's last `exit` event about it (or null) say.
void read_trial(const std::filesystem::path& dir, const nlohmann::json* exit, Trial& trial,
                StudyRecord& study);

}  // namespace paribus::results
