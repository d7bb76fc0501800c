// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace paribus::worker {

/// Processes that the kernel has killed for want of memory since the machine was started; 0 where
/// it doesn't say.
std::int64_t oom_kills();

/// "SIGSEGV (segmentation fault)".
std::string signal_in_words(int signal);

/// The last line of a file that isn't empty.
std::string last_line(const std::filesystem::path& file);

/// A trial's stacks in a file of their own.
void write_stacks(const std::filesystem::path& file, const std::string& message,
                  const std::string& stack);

}  // namespace paribus::worker
