// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "paribus/tracker.h"

namespace paribus::tracker {

/// A file that only grows, and holds what was delivered and nothing else: what a killed process had
/// added beyond that is cut off when it is opened again.
class Appended {
 public:
  /// Opens or makes it. `length`: what it held when it was last written. Throws StartOver where it
  /// is shorter, or gone.
  Appended(std::filesystem::path path, std::uint64_t length) : Appended(std::move(path)) {
    length_ = length;
    struct stat facts {};
    if (file_ < 0 || ::fstat(file_, &facts) != 0) fail("open");
    if (static_cast<std::uint64_t>(facts.st_size) < length)
      throw StartOver(path_.string() + " holds less than was written to it");
    if (::ftruncate(file_, static_cast<off_t>(length)) != 0) fail("cut");
  }
  Appended(const Appended&) = delete;
  Appended& operator=(const Appended&) = delete;
  ~Appended() {
    if (file_ >= 0) ::close(file_);
  }

  /// What was added since it was that long is to come again.
  void go_back(std::uint64_t length) {
    if (length == length_) return;
    length_ = length;
    if (::ftruncate(file_, static_cast<off_t>(length)) != 0) fail("cut");
  }
  /// All of it, at the end.
  void add(std::string_view bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = ::pwrite(file_, bytes.data() + done, bytes.size() - done,
                                 static_cast<off_t>(length_ + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("write");
      done += static_cast<std::size_t>(n);
    }
    length_ += bytes.size();
  }
  /// It survives loss of power.
  void sync() const { ::fsync(file_); }
  [[nodiscard]] std::uint64_t length() const { return length_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  /// Once this is done the destructor runs, whatever is thrown.
  explicit Appended(std::filesystem::path path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_.parent_path());
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  }

  [[noreturn]] void fail(const char* what) const {
    const int why = errno;
    const std::string text =
        std::string("can't ") + what + " " + path_.string() + ": " + std::strerror(why);
    if (why == ENOSPC || why == EDQUOT) throw TryLater(text);
    throw Error(text);
  }

  std::filesystem::path path_;
  std::uint64_t length_ = 0;
  int file_ = -1;
};

/// Where a tracker writes: its own folder, or `folder` as seen from the study's directory.
inline std::filesystem::path folder_of(std::string_view folder, const TrackedStudy& study,
                                       Uplink& uplink) {
  return folder.empty() ? uplink.folder() : study.directory / folder;
}

/// The length that a memo holds; 0 where it is empty.
inline std::uint64_t length_in(const std::string& memo) {
  return memo.empty() ? 0 : std::stoull(memo);
}

}  // namespace paribus::tracker
