// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

// The command line as it was told to CLI11, for all that speaks of it: help, the man page and
// completion know the same commands.
namespace paribus {

/// Those that may stand behind a command, in the order in which they were added.
std::vector<const CLI::App*> commands_of(const CLI::App& command);
/// By its name; null if there is none.
const CLI::App* command_of(const CLI::App& command, const std::string& name);
std::vector<const CLI::Option*> options_of(const CLI::App& command);
std::vector<const CLI::Option*> positionals_of(const CLI::App& command);

/// "paribus plugins show"
std::string path_of(const CLI::App& command);
/// {"-j", "--jobs"}; of a positional {}.
std::vector<std::string> names_of(const CLI::Option& option);
/// What stands for its value: "STUDY.toml", "N"; "" of a flag.
std::string value_name(const CLI::Option& option);
/// The words of which the value is one; empty where it may be others.
std::vector<std::string> choices_of(const CLI::Option& option);
bool takes_value(const CLI::Option& option);
/// Whether it may be given more than once.
bool may_repeat(const CLI::Option& option);
/// `[OPTIONS] STUDY.toml`, `[COMMAND]`: what follows its name.
std::string usage_of(const CLI::App& command);

}  // namespace paribus
