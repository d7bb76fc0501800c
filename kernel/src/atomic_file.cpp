// SPDX-License-Identifier: Apache-2.0
#include "atomic_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "paribus/error.h"

namespace paribus {
namespace {

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

std::string free_space(const std::filesystem::path& folder) {
  struct statvfs facts {};
  if (::statvfs(folder.c_str(), &facts) != 0) return "";
  const std::uint64_t bytes = std::uint64_t{facts.f_bavail} * facts.f_frsize;
  return " (" + std::to_string(bytes >> 10) + " KiB free there)";
}

std::string advice(int error) {
  static constexpr const char* kKept = "; what was written before is whole: ";
  switch (error) {
    case ENOSPC:
      return std::string(kKept) + "make room and resume";
    case EDQUOT:
      return std::string(kKept) + "make room in the quota and resume";
    case EFBIG:
      return std::string(kKept) + "raise the limit on a file's size (ulimit -f) and resume";
    default:
      return std::string(kKept) + "check the disk and resume";
  }
}

}  // namespace

void fail_to(const char* doing, const std::filesystem::path& file, int error) {
  const std::string text = file.string() + ": can't " + doing + " it: " + std::strerror(error);
  const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO;
  if (!is_full) throw Error(text);
  throw NoSpace(text + (error == EIO ? "" : free_space(folder_of(file))) + advice(error));
}

void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

AtomicFile::AtomicFile(std::filesystem::path file)
    : file_(std::move(file)), temporary_(file_.string() + kPartial) {
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail_to("create", file_, errno);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(fd_, bytes, std::min(size, std::size_t{1} << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to("write", file_, errno);
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  commit_unsynced();
  sync_folder(folder_of(file_));
}

void AtomicFile::commit_unsynced() {
  if (::fsync(fd_) != 0) fail_to("fsync", file_, errno);
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) fail_to("rename", file_, errno);
  committed_ = true;
}

}  // namespace paribus
