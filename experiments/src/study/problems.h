// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "study/config.h"
#include "study/study.h"

namespace paribus {

/// Gathers all that is wrong, so that it can be said at once. Each problem is kept once, however
/// many arms have it.
class Problems {
 public:
  explicit Problems(std::string path) : path_(std::move(path)) {}

  void add(const Place& place, const std::string& message);
  /// As `add`, for what is wrong in some arms only: their names are put behind the message.
  void add_of_arm(const Place& place, const std::string& message, const std::string& arm);
  /// About the file as a whole.
  void add(const std::string& message);

  [[nodiscard]] bool empty() const { return found_.empty(); }
  /// Nobody reads more than this; expanding further would only cost time.
  [[nodiscard]] bool enough() const { return found_.size() >= kEnough; }
  /// Throws StudyError if there are any.
  void raise() const;

 private:
  static constexpr std::size_t kEnough = 1000;
  struct Before {
    bool operator()(const Diagnostic& a, const Diagnostic& b) const;
  };

  std::string path_;
  std::map<Diagnostic, std::set<std::string>, Before>
      found_;  // with the arms, where it depends on them
};

/// As one line: control characters of a hostile file must not reach a terminal.
std::string printable(std::string_view text);

}  // namespace paribus
