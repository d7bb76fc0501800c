// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "paribus/tracker.h"

namespace paribus::tracker {

/// What a peer said, short enough for a message.
inline std::string said(const HttpAnswer& answer) {
  std::string text = answer.body.substr(0, 200);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return "answered " + std::to_string(answer.status) + (text.empty() ? "" : ": " + text);
}

/// Throws Error unless the peer took what it was sent. `hint`: what to do.
inline void expect_taken(const HttpAnswer& answer, const std::string& who,
                         const std::string& hint = "") {
  if (answer.status >= 200 && answer.status < 300) return;
  throw Error(who + ": the server " + said(answer) + (hint.empty() ? "" : "; " + hint));
}

}  // namespace paribus::tracker
