// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace paribus {

/// What a half-typed command line asks for.
struct Asked {
  const CLI::App* command = nullptr;    // the innermost one that is named
  const CLI::Option* option = nullptr;  // whose value is being typed; null if none can be
  std::string lead;                     // of the word, what stands before the value: "--dir="
  std::string value;                    // what is typed of it
  bool may_be_command = false;          // or of a command's name
  bool is_option = false;               // an option's name is being typed
  std::vector<std::pair<const CLI::Option*, std::string>> given{};  // values typed before

  /// Of options and positionals that are called so; the last, or "".
  [[nodiscard]] std::string value_of(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> values_of(const std::string& name) const;
};

/// `words`: those behind `paribus`, without quotes; `word`: the one being typed, up to the cursor.
Asked what_is_asked(const CLI::App& app, const std::vector<std::string>& words,
                    const std::string& word);

}  // namespace paribus
