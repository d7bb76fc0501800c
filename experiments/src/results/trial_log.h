// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace paribus::results {

/// What the processes of a trial printed, one after the other.
std::filesystem::path trial_log_path(const std::filesystem::path& dir, std::string_view trial);

/// A line as a terminal would leave it: what draws in place ends each state with \r, and its last
/// one counts.
std::string_view last_state(std::string_view line);

}  // namespace paribus::results
