// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paribus {

/// A command line of bash up to the cursor, cut into words. Nothing in it is expanded, so nothing
/// is run.
struct BashLine {
  std::vector<std::string> words;  // finished ones, behind the command's name, without quotes
  std::string word;                // the one being typed, without quotes
  std::size_t kept = 0;            // of `word`, what stands before that which bash replaces
  char quote = '\0';               // that is open: ' or " or none
  bool is_file = false;            // behind < or >
  bool is_odd = false;             // holds $ or ` or closed quotes: it can't be told what it is
  bool has_tilde = false;          // begins with a ~ that means a home

  /// What bash is to put in for a candidate that begins with `word`: escaped, so that none of it
  /// means anything to the shell.
  [[nodiscard]] std::string inserted(std::string_view candidate) const;
  /// The same where bash escapes by itself, as it does for names of files.
  [[nodiscard]] std::string replacing(std::string_view candidate) const;
};

/// `breaks`: the characters of COMP_WORDBREAKS, behind which bash replaces only the rest of a word.
BashLine read_bash_line(std::string_view line, std::string_view breaks);

}  // namespace paribus
