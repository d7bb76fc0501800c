// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

namespace paribus::worker {

/// A layer of Landlock: what this process, and all that it starts, may still write to. Layers add
/// up: each can only take more away.
class Landlock {
 public:
  enum class Scope { files, files_and_signals };

  /// Throws Error naming what is missing where the kernel has no Landlock, or one of before Linux
  /// 5.19, which can't let files be renamed from one folder to another.
  explicit Landlock(Scope scope);
  Landlock(const Landlock&) = delete;
  Landlock& operator=(const Landlock&) = delete;
  ~Landlock();

  /// Which of the kernel's versions of Landlock this is.
  [[nodiscard]] int version() const { return version_; }
  /// Everything at and below a folder, or one file; must exist. Throws Error.
  void allow(const std::filesystem::path& path);
  /// Throws Error. No new right can be had from here on, not even by an exec.
  void enforce();

 private:
  int version_ = 0, rules_ = -1;
};

}  // namespace paribus::worker
