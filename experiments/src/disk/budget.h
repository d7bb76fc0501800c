// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "driver/handle.h"

namespace paribus::disk {

/// What a study's directory takes, by what it is for; bytes as the disk counts them, files with
/// several names once.
struct Usage {
  std::int64_t checkpoints = 0, journals = 0, logs = 0, other = 0;
  std::int64_t recorded = 0;  // in journals, without what they keep free

  [[nodiscard]] std::int64_t total() const { return checkpoints + journals + logs + other; }
  /// "checkpoints 1.5 GiB, journals 12 MiB, ..."
  [[nodiscard]] std::string text() const;
};
Usage measure(const std::filesystem::path& study);

/// `[study] disk`: what trials side by side may write, told beforehand and booked in an account
/// that they share. The account errs to the safe side, since it learns of removed files only when
/// the directory is measured anew, which is when something doesn't seem to fit. It outlives whoever
/// is killed: who is no more claims nothing.
class Budget {
 public:
  /// `account`: a file, zeroed at the start of a run, with room for kBytes from `offset` on;
  /// `claim`: own to this process among those that run. `limit` 0: everything is allowed.
  Budget(std::filesystem::path study, std::int64_t limit, const std::filesystem::path& account,
         std::int64_t offset, int claim);

  /// Before so many bytes are written as `what`. Throws NoSpace, which says what takes the room.
  void reserve(std::int64_t bytes, std::string_view what);
  /// What was reserved has been written.
  void written();
  /// Before a few bytes are added to a journal or log: books some ahead, so that it is quick.
  void add(std::int64_t bytes, std::string_view what);

  static constexpr int kClaims = 1024;
  static constexpr std::int64_t kBytes = 8 + 32 * kClaims;

 private:
  struct Claim {
    std::int64_t pid = 0;
    std::int64_t done = 0;   // written since the directory was measured
    std::int64_t now = 0;    // being written
    std::int64_t ahead = 0;  // for journal and log
  };
  struct Account;
  class Open;
  void ask(std::int64_t bytes, std::string_view what, std::int64_t Claim::*kind);

  std::filesystem::path study_;
  std::int64_t limit_;
  driver::Handle file_;
  std::int64_t offset_;
  int claim_;
  std::int64_t left_ = 0;  // of what was booked ahead
};

}  // namespace paribus::disk
