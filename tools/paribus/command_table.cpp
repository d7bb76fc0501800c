// SPDX-License-Identifier: Apache-2.0
#include "command_table.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace paribus {
namespace {

std::vector<const CLI::Option*> options_that(const CLI::App& command, bool positional) {
  std::vector<const CLI::Option*> result;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() == positional) result.push_back(option);
  }
  return result;
}

}  // namespace

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
  return command.get_subcommands(
      [](const CLI::App* one) { return !one->get_name().empty() && !one->get_group().empty(); });
}

const CLI::App* command_of(const CLI::App& command, const std::string& name) {
  for (const CLI::App* one : commands_of(command)) {
    if (one->get_name() == name) return one;
  }
  return nullptr;
}

std::vector<const CLI::Option*> options_of(const CLI::App& command) {
  return options_that(command, false);
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& command) {
  return options_that(command, true);
}

std::string path_of(const CLI::App& command) {
  const CLI::App* above = command.get_parent();
  return above == nullptr ? command.get_name() : path_of(*above) + " " + command.get_name();
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  if (option.get_positional()) return names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

bool may_repeat(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

std::string value_name(const CLI::Option& option) {
  if (option.get_positional()) return option.get_single_name();
  if (!takes_value(option)) return "";
  const std::string type = option.get_type_name();  // with what its checks say: "HOW:{fork,exec}"
  return type.substr(0, type.find(':'));
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t begin = type.find('{'), end = type.find('}');
  std::vector<std::string> words;
  if (begin == std::string::npos || end == std::string::npos) return words;
  for (std::size_t at = begin + 1; at < end;) {
    const std::size_t comma = std::min(type.find(',', at), end);
    words.push_back(type.substr(at, comma - at));
    at = comma + 1;
  }
  return words;
}

std::string usage_of(const CLI::App& command) {
  std::string text = options_of(command).empty() ? "" : "[OPTIONS]";
  for (const CLI::Option* option : positionals_of(command)) {
    const std::string name = value_name(*option) + (may_repeat(*option) ? "..." : "");
    text += (text.empty() ? "" : " ") + (option->get_required() ? name : "[" + name + "]");
  }
  if (!commands_of(command).empty()) {
    const bool must = command.get_require_subcommand_min() > 0;
    text += (text.empty() ? "" : " ") + std::string(must ? "COMMAND" : "[COMMAND]");
  }
  return text;
}

}  // namespace paribus
