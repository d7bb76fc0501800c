// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "paribus/tracker.h"

namespace paribus::uplink {

/// What there is of a trial for people, beside its numbers.
std::vector<TrackedFile> files_of(const std::filesystem::path& dir, const std::string& trial);

/// What a study left to read, once it is over, and a mark that changes with it: size and time of
/// each.
std::pair<std::vector<TrackedFile>, std::string> closing_files(const std::filesystem::path& dir);

/// All of a file; nothing where there is none, or it is longer than 64 MiB.
std::string text_file(const std::filesystem::path& file);

}  // namespace paribus::uplink
