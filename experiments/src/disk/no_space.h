// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace paribus::disk {

/// Whether an error of the system says that the disk takes no more: full, over quota, a limit on
/// the size of files, broken.
bool is_no_space(int error);

/// "WHAT: REASON", and where the disk is the reason what is free there and what to do. Throws
/// NoSpace there, else Error.
[[noreturn]] void fail(const std::string& what, const std::filesystem::path& file, int error);

/// "1.5 MiB"
std::string bytes_text(std::int64_t bytes);

}  // namespace paribus::disk
