// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace paribus::uplink {

/// Lines of what a trial printed: valid UTF-8, without their ends.
struct OutputBatch {
  std::vector<std::string> lines;
  std::uint64_t until = 0;  // bytes of the file; where it began, if there is nothing
  double changed = 0;       // when it was last written, seconds since 1970
};

/// The lines of a file from a byte on: up to `until` where that is not 0, else about `most` bytes
/// of those that are whole, the last one too where `is_over`. A line ends after 64 KiB. A file that
/// isn't there holds nothing; nor does one that is shorter than `from`.
OutputBatch read_output(const std::filesystem::path& file, std::uint64_t from, std::size_t most,
                        std::uint64_t until, bool is_over);

/// Valid UTF-8: what isn't becomes U+FFFD.
std::string as_utf8(const std::string& text);

}  // namespace paribus::uplink
