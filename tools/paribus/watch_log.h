// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "results/study_record.h"

namespace paribus {

/// Why a trial ended, where that is known, and the last lines of what it printed: `most` lines in
/// all.
std::vector<std::string> log_of(const std::filesystem::path& dir, const results::Trial& trial,
                                std::size_t most);

}  // namespace paribus
