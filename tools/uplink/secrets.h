// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace paribus::uplink {

/// Passwords and keys that trackers asked for, to keep them out of all that is written. Safe to use
/// from several threads.
class Secrets {
 public:
  /// From the environment, else, where a host is given, from netrc ($NETRC, ~/.netrc); "" if there
  /// is none.
  std::string find(std::string_view variable, std::string_view host);
  /// `user`:`password` as HTTP sends them.
  void add_basic(const std::string& user, const std::string& password);
  /// The text with every secret in it replaced.
  [[nodiscard]] std::string masked(std::string text) const;

 private:
  void add(const std::string& secret);

  mutable std::mutex mutex_;
  std::set<std::string> known_;
};

/// The password that a netrc file's text has for a host; "" if none.
std::string netrc_password(std::string_view text, std::string_view host);

}  // namespace paribus::uplink
