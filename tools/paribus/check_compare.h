// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "check_laws.h"
#include "results/study_record.h"

namespace paribus::check {

/// The same trials, bit by bit, in two directories; `other` says in words what the second is.
Finding compare_studies(const std::string& law, const results::StudyRecord& one,
                        const std::filesystem::path& directory, const std::string& other);

/// The arm in which the part is off beside the one without it: all that the latter has.
Finding compare_off(const results::StudyRecord& study, const std::string& setting);

/// The step of the newest checkpoint of any trial below a study's directory; -1 if there is none.
std::int64_t newest_checkpoint(const std::filesystem::path& directory);

}  // namespace paribus::check
