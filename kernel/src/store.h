// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace paribus {

/// Bytes that are kept once, by their SHA-256: `<objects>/<first two digits>/<sha256>`.
///
/// Whoever needs an object has a hard link to it, its pin, and reads only that: an object that
/// somebody removes is lost to nobody. Where the file system makes no link, the pin is a copy.
class Store {
 public:
  explicit Store(std::filesystem::path objects) : objects_(std::move(objects)) {}

  /// Whether bytes of this sum and size seem to be there, so that a pin costs no room.
  [[nodiscard]] bool has(const std::string& sha256, std::size_t size) const;
  /// Makes `folder/<sha256>` hold these bytes, on the disk; the caller syncs the folder. An object
  /// that is there is compared byte by byte first. Throws NoSpace or Error.
  void pin(const std::filesystem::path& folder, const std::string& sha256, const void* data,
           std::size_t size) const;
  /// Removes a pin, and its object if that was the last one.
  void unpin(const std::filesystem::path& pin) const;

 private:
  [[nodiscard]] std::filesystem::path object(const std::string& sha256) const;
  void offer(const std::filesystem::path& pin, const std::filesystem::path& object) const;

  std::filesystem::path objects_;
};

/// Whether two files hold the same bytes; false if one can't be read.
bool same_bytes(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace paribus
