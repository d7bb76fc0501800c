// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace paribus::registry {

/// A file's bytes in memory that nobody can change any more, this process included.
class SealedCopy {
 public:
  /// Throws Error with the reason, without the file's name.
  explicit SealedCopy(const std::filesystem::path& file);
  SealedCopy(const SealedCopy&) = delete;
  SealedCopy& operator=(const SealedCopy&) = delete;
  ~SealedCopy();

  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  /// A name for it, good in this process for as long as it is open.
  [[nodiscard]] std::string path() const;
  /// Leaves it open until the process ends.
  void keep() { kept_ = true; }

 private:
  int descriptor_ = -1;
  std::string sha256_;
  bool kept_ = false;
};

}  // namespace paribus::registry
