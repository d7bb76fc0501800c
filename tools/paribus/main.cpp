// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "check_command.h"
#include "compare_command.h"
#include "driver/interrupt.h"
#include "fsck_command.h"
#include "lr_find_command.h"
#include "paribus/error.h"
#include "plugins_command.h"
#include "registry/nearest.h"
#include "results_command.h"
#include "resume_command.h"
#include "run_command.h"
#include "seal_command.h"
#include "status_command.h"
#include "verify_command.h"

namespace {

constexpr int kWrongRequest = 2;
constexpr int kInterrupted = 130;

/// The command that was understood last: of `paribus plugins show` that is `show`.
const CLI::App& innermost(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

std::string path_of(const CLI::App& command) {
  const CLI::App* above = command.get_parent();
  return above == nullptr ? command.get_name() : path_of(*above) + " " + command.get_name();
}

/// What may stand behind a command: its options and commands.
std::vector<std::string> words_of(const CLI::App& command) {
  std::vector<std::string> words;
  for (const CLI::App* one : command.get_subcommands({})) words.push_back(one->get_name());
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

/// CLI11 says that it didn't expect the word; people want to know which word they meant.
std::string misspelt(const CLI::App& app, int argc, char** argv) {
  const CLI::App& command = innermost(app);
  const std::vector<std::string> unread = app.remaining(true);
  const std::string word = !unread.empty() ? unread.front() : argc > 1 ? argv[1] : "";
  if (word.empty() || (unread.empty() && &command != &app)) return "";
  const std::string hint = paribus::registry::did_you_mean(word, words_of(command));
  if (word.front() == '-') return fmt::format("there is no option '{}'{}", word, hint);
  if (!command.get_subcommands({}).empty())
    return fmt::format("there is no command '{}'{}", word, hint);
  return fmt::format("'{}' is one word too many", word);
}

int parse(CLI::App& app, int argc, char** argv, const int& exit_status) {
  try {
    app.parse(argc, argv);
    return exit_status;
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return app.exit(problem);  // --help, --version
    const std::string hint = misspelt(app, argc, argv);
    fmt::print(stderr, "paribus: {}\n", hint.empty() ? problem.what() : hint);
    fmt::print(stderr, "try: {} --help\n", path_of(innermost(app)));
    return kWrongRequest;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond ulimit -f fails, like one to a full disk
  std::setlocale(LC_CTYPE, "");   // for the display only: numbers keep their point
  CLI::App app("Paribus: machine-learning ablations in which all else really is equal.", "paribus");
  app.set_version_flag("--version", "paribus " PARIBUS_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 fine; 1 a trial failed; 2 the request was wrong; 130 interrupted, can be "
      "resumed.");
  int exit_status = 0;
  paribus::add_run_command(app, exit_status);
  paribus::add_check_command(app, exit_status);
  paribus::add_resume_command(app, exit_status);
  paribus::add_status_command(app, exit_status);
  paribus::add_results_command(app, exit_status);
  paribus::add_compare_command(app, exit_status);
  paribus::add_seal_command(app, exit_status);
  paribus::add_fsck_command(app, exit_status);
  paribus::add_verify_command(app, exit_status);
  paribus::add_plugins_command(app, exit_status);
  paribus::add_lr_find_command(app, exit_status);
  try {
    if (argc == 1) {  // no command yet: what there is
      fmt::print(stderr, "{}", app.help());
      return kWrongRequest;
    }
    return parse(app, argc, argv, exit_status);
  } catch (const paribus::driver::Interrupted&) {
    fmt::print(stderr, "interrupted\n");
    return kInterrupted;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}\n", problem.what());
    return kWrongRequest;
  }
}
