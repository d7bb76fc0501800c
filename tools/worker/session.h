// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>

#include "paribus/factory.h"

namespace paribus::worker {

/// An adaptive search in a process of its own, which keeps what it has been told: a crash, a hang
/// or an exit() of the search becomes a reply with problems.
class SearchSession {
 public:
  /// Builds the part in a fork and checks that it can search these axes. `request` is the driver's
  /// `search_open` (docs/internals.md); `opened` gets the reply.
  SearchSession(const nlohmann::json& request, const PartFactory& factory, nlohmann::json& opened);
  SearchSession(const SearchSession&) = delete;
  SearchSession& operator=(const SearchSession&) = delete;
  ~SearchSession();

  [[nodiscard]] pid_t pid() const { return child_; }
  /// The reply to `search_next`.
  nlohmann::json next(const nlohmann::json& request);

 private:
  nlohmann::json receive();
  /// Whether it has ended, waiting for at most so long.
  bool wait(int milliseconds, int& status);

  pid_t child_ = -1;
  int socket_ = -1;
  std::string input_;
};

}  // namespace paribus::worker
