// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "complete_answer.h"

namespace paribus {

/// Each takes what is typed of a path, and looks into the folder that it leads to.
Answer study_files(const std::string& typed);        // *.toml, and folders on the way
Answer study_directories(const std::string& typed);  // also those one folder further
Answer folders(const std::string& typed);

/// Where a typed path leads: with the home for `~/`.
std::filesystem::path path_meant(const std::string& typed);

}  // namespace paribus
