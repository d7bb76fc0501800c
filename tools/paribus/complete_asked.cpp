// SPDX-License-Identifier: Apache-2.0
#include "complete_asked.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "command_table.h"

namespace paribus {
namespace {

const CLI::Option* option_named(const CLI::App& command, const std::string& name) {
  for (const CLI::Option* option : options_of(command)) {
    const auto names = names_of(*option);
    if (std::find(names.begin(), names.end(), name) != names.end()) return option;
  }
  return nullptr;
}

bool looks_like_option(const std::string& word) { return word.size() > 1 && word.front() == '-'; }

class Walk {
 public:
  explicit Walk(const CLI::App& app) { asked_.command = &app; }

  void pass(const std::string& word) {
    if (pending_ != nullptr) {
      asked_.given.emplace_back(pending_, word);
      pending_ = nullptr;
    } else if (!only_positionals_ && word == "--") {
      only_positionals_ = true;
    } else if (!only_positionals_ && looks_like_option(word)) {
      pass_option(word);
    } else if (const CLI::App* command = command_in(word)) {
      asked_.command = command;
    } else if (const CLI::Option* positional = next_positional()) {
      asked_.given.emplace_back(positional, word);
    } else {
      is_lost_ = true;
    }
  }

  Asked ask(const std::string& word) && {
    asked_.value = word;
    if (pending_ != nullptr) {
      asked_.option = pending_;
    } else if (!only_positionals_ && !word.empty() && word.front() == '-') {
      ask_option(word);
    } else {
      asked_.option = next_positional();
      asked_.may_be_command = !only_positionals_ && !positional_given() && !is_lost_;
    }
    return std::move(asked_);
  }

 private:
  /// `--dir=DIR`, `--dir DIR`, `-jN`, `-q`, `-qj N`: what takes a value may find it here.
  void pass_option(const std::string& word) {
    std::string value;
    bool has_value = false;
    const CLI::Option* option = split(word, value, has_value);
    if (option == nullptr) return;
    has_value || !takes_value(*option) ? static_cast<void>(asked_.given.emplace_back(option, value))
                                       : static_cast<void>(pending_ = option);
  }

  void ask_option(const std::string& word) {
    std::string value;
    bool has_value = false;
    const CLI::Option* option = split(word, value, has_value);
    if (option == nullptr || !takes_value(*option) || !has_value) {
      asked_.is_option = true;
      return;
    }
    asked_.option = option;
    asked_.lead = word.substr(0, word.size() - value.size());
    asked_.value = value;
  }

  /// The option that a word names, of several short ones the last, and the value in the same word.
  const CLI::Option* split(const std::string& word, std::string& value, bool& has_value) const {
    if (word.starts_with("--")) {
      const std::size_t equals = word.find('=');
      has_value = equals != std::string::npos;
      if (has_value) value = word.substr(equals + 1);
      return option_named(*asked_.command, word.substr(0, equals));
    }
    const CLI::Option* option = nullptr;
    for (std::size_t at = 1; at < word.size(); ++at) {
      option = option_named(*asked_.command, std::string("-") + word[at]);
      if (option == nullptr || !takes_value(*option)) continue;
      has_value = at + 1 < word.size();
      value = word.substr(at + 1);
      break;
    }
    return option;
  }

  [[nodiscard]] bool positional_given() const {
    return std::any_of(asked_.given.begin(), asked_.given.end(),
                       [](const auto& given) { return given.first->get_positional(); });
  }

  [[nodiscard]] const CLI::App* command_in(const std::string& word) const {
    if (only_positionals_ || positional_given()) return nullptr;
    return command_of(*asked_.command, word);
  }

  [[nodiscard]] const CLI::Option* next_positional() const {
    for (const CLI::Option* option : positionals_of(*asked_.command)) {
      const auto is_this = [&](const auto& given) { return given.first == option; };
      const bool is_given = std::any_of(asked_.given.begin(), asked_.given.end(), is_this);
      if (!is_given || may_repeat(*option)) return option;
    }
    return nullptr;
  }

  Asked asked_;
  const CLI::Option* pending_ = nullptr;  // its value is the next word
  bool only_positionals_ = false;         // after `--`
  bool is_lost_ = false;                  // a word was none of the command's
};

}  // namespace

std::vector<std::string> Asked::values_of(const std::string& name) const {
  std::vector<std::string> values;
  for (const auto& [of, typed] : given) {
    const auto names = names_of(*of);
    const bool called = of->get_positional()
                            ? value_name(*of) == name
                            : std::find(names.begin(), names.end(), name) != names.end();
    if (called) values.push_back(typed);
  }
  return values;
}

std::string Asked::value_of(const std::string& name) const {
  const auto values = values_of(name);
  return values.empty() ? "" : values.back();
}

Asked what_is_asked(const CLI::App& app, const std::vector<std::string>& words,
                    const std::string& word) {
  Walk walk(app);
  for (const std::string& one : words) walk.pass(one);
  return std::move(walk).ask(word);
}

}  // namespace paribus
