// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "registry/schema.h"

namespace paribus::driver {

/// Throws Error naming the file, what it holds and what it should, unless its bytes are those that
/// the manifest pins: as they are (`sha256`) or un-gzipped (`content`). Nothing pinned: anything
/// will do.
void verify(const std::filesystem::path& file, const registry::FileSchema& pin);

/// Remembers, in a file of the user's cache, which files were found good, by device, inode, size
/// and times, so that each is read for this only once.
class VerifiedFiles {
 public:
  explicit VerifiedFiles(std::filesystem::path memory);
  void verify(const std::filesystem::path& file, const registry::FileSchema& pin);

 private:
  std::filesystem::path memory_;
};

}  // namespace paribus::driver
