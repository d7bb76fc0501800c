// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace paribus {

/// A file that only becomes visible, whole and on the disk, at `commit`; without it nothing is
/// left.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path file);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// These throw NoSpace where the disk is full, else Error; both name the file.
  void write(const void* data, std::size_t size);
  void commit();
  /// The same but for the folder, which the caller syncs once for several files.
  void commit_unsynced();

 private:
  std::filesystem::path file_;
  std::filesystem::path temporary_;
  int fd_ = -1;
  bool committed_ = false;
};

/// How a file is called until it is whole; such a file that stays behind is worth nothing.
inline constexpr const char* kPartial = ".partial";

/// Makes the names in a folder outlive loss of power.
void sync_folder(const std::filesystem::path& folder);

/// "FILE: can't DOING it: REASON", with the free space and what to do where the disk is the reason.
/// Throws NoSpace there, else Error.
[[noreturn]] void fail_to(const char* doing, const std::filesystem::path& file, int error);

}  // namespace paribus
