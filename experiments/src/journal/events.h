// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "journal/journal.h"

namespace paribus::journal {

/// Goes through the events of a journal one at a time: a long one takes no more memory than its
/// bytes. It ends where what `read` gives ends; other records are passed over.
class EventReader {
 public:
  /// `start`: 0, or the `offset` of an earlier reader. Throws Error as `read` does.
  explicit EventReader(const std::filesystem::path& path, std::size_t start = 0);

  /// False at the end.
  bool next(nlohmann::json& event);

  /// Behind the last record that was taken.
  [[nodiscard]] std::size_t offset() const { return start_ + at_; }
  [[nodiscard]] Tail tail() const { return tail_; }
  /// What is wrong at `offset`, and how many bytes stand from there on.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] std::size_t unread() const { return bytes_.size() - at_; }
  /// The bytes from `start` on: all that were read, and those up to `offset`.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  [[nodiscard]] std::string_view taken() const { return std::string_view(bytes_).substr(0, at_); }

 private:
  bool stop(Tail tail, std::string problem);

  std::size_t start_, at_ = 0;
  std::string bytes_;  // from `start` on
  Tail tail_ = Tail::whole;
  std::string problem_;
};

}  // namespace paribus::journal
