// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "results/view.h"

/// The file `trials.cache` of a study's directory: a StudyView, packed, with checksums, and what of
/// the journals it was made from. Never locked: it is written beside and put in place by a rename.
namespace paribus::results {

/// A file as it was seen. `changed` is 0 where it changed so lately that it may have changed again
/// since without another time.
struct FileMark {
  std::uint64_t inode = 0, size = 0;
  std::int64_t changed = 0;  // ns

  bool operator==(const FileMark&) const = default;
};
FileMark mark_of(const std::filesystem::path& path);
/// Whether a file is certainly the same as when `before` was made.
bool is_unchanged(const FileMark& before, const FileMark& now);

/// A stretch of study.log, from the end of the one before.
struct Stretch {
  std::uint64_t end = 0;
  std::uint32_t sum = 0;  // CRC-32C
};

/// What of the journals a view was made from.
struct Origin {
  std::vector<Stretch> log;   // of study.log, up to the offset to which the view speaks
  FileMark log_file, folder;  // study.log; the folder of the journals

  [[nodiscard]] std::uint64_t offset() const { return log.empty() ? 0 : log.back().end; }
};

struct Cached {
  StudyView view;
  Origin origin;
};

std::filesystem::path cache_path(const std::filesystem::path& dir);

/// What the file holds; nothing if there is none or a byte of it is wrong. Whether the journals
/// still are what it was made from is the caller's question.
std::optional<Cached> read_cache(const std::filesystem::path& dir);

/// Throws Error if it can't be written.
void write_cache(const Cached& cached);

}  // namespace paribus::results
