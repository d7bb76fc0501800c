// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace paribus {

/// What may stand for a half-typed word, whole.
struct Candidate {
  std::string text;
  std::string about{};  // in a few words
};

struct Answer {
  enum class Form : std::uint8_t {
    words,
    paths,  // candidates are paths, as typed: `~` stays
    files   // whatever file there is: the shell knows best
  };
  Form form = Form::words;
  std::vector<Candidate> candidates{};
};

/// Whether a terminal could be told something by it; no such text is ever offered.
bool has_control(std::string_view text);

}  // namespace paribus
