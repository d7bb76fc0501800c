// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace paribus::test {

/// A folder on a file system of its own of so many bytes. Where mounting isn't allowed, no file can
/// grow beyond that: the system refuses writes in the same places, with another error.
class SmallDisk {
 public:
  explicit SmallDisk(std::size_t bytes) {
    std::string name = (std::filesystem::temp_directory_path() / "paribus-disk-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    path_ = name;
    const std::string options = "size=" + std::to_string(bytes);
    is_mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (is_mounted_) return;
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit tight{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~SmallDisk() {
    if (is_mounted_)
      ::umount2(path_.c_str(), MNT_DETACH);
    else
      ::setrlimit(RLIMIT_FSIZE, &before_);
    std::filesystem::remove_all(path_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// What a write that finds no room fails with.
  [[nodiscard]] const char* reason() const {
    return is_mounted_ ? "No space left on device" : "File too large";
  }
  /// Takes all that is left.
  void fill() const {
    const int file = ::open((path_ / "filler").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    const std::string block(4096, 'x');
    while (::write(file, block.data(), block.size()) > 0) {
    }
    ::close(file);
  }
  void empty() const { std::filesystem::remove(path_ / "filler"); }

 private:
  std::filesystem::path path_;
  bool is_mounted_ = false;
  rlimit before_{};
};

}  // namespace paribus::test
