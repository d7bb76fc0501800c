// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "paribus/tracker.h"

namespace paribus::uplink {

/// What there is of a trial for people, beside its numbers.
std::vector<TrackedFile> files_of(const std::filesystem::path& dir, const std::string& trial);

/// What a study left to read, once it is over, and a mark that changes with it: size and time of
/// each.
std::pair<std::vector<TrackedFile>, std::string> closing_files(const std::filesystem::path& dir);

/// Width and height of a PNG file; nothing where it is none.
std::optional<std::pair<std::int64_t, std::int64_t>> png_size(std::string_view file);

/// All of a file; nothing where there is none, or it is longer than 64 MiB.
std::string text_file(const std::filesystem::path& file);

}  // namespace paribus::uplink
