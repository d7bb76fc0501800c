// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "check_command.h"
#include "command_table.h"
#include "compare_command.h"
#include "complete_command.h"
#include "driver/interrupt.h"
#include "fsck_command.h"
#include "help_command.h"
#include "lr_find_command.h"
#include "man_page.h"
#include "paribus/error.h"
#include "plugins_command.h"
#include "registry/nearest.h"
#include "report_command.h"
#include "results_command.h"
#include "resume_command.h"
#include "run_command.h"
#include "seal_command.h"
#include "show_data_command.h"
#include "show_results_command.h"
#include "status_command.h"
#include "sync_command.h"
#include "verify_command.h"
#include "watch_command.h"

namespace {

constexpr int kWrongRequest = 2;
constexpr int kInterrupted = 130;

/// The command that was understood last: of `paribus plugins show` that is `show`.
const CLI::App& innermost(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

/// What may stand behind a command: its options and commands.
std::vector<std::string> words_of(const CLI::App& command) {
  std::vector<std::string> words;
  for (const CLI::App* one : paribus::commands_of(command)) words.push_back(one->get_name());
  for (const CLI::Option* option : paribus::options_of(command)) {
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
  if (!paribus::commands_of(command).empty())
    return fmt::format("there is no command '{}'{}", word, hint);
  return fmt::format("'{}' is one word too many", word);
}

/// For the shells' scripts and the build, not for people: they stand in no list of commands.
std::optional<int> hidden(const CLI::App& app, int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "complete") return paribus::complete(app, {argv + 2, argv + argc});
  if (command != "man-page" || argc != 3) return std::nullopt;
  fmt::print("{}", paribus::man_page(app, PARIBUS_VERSION, argv[2]));
  return 0;
}

int parse(CLI::App& app, int argc, char** argv, const int& exit_status) {
  try {
    app.parse(argc, argv);
    return exit_status;
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return app.exit(problem);  // --help, --version
    const std::string hint = misspelt(app, argc, argv);
    fmt::print(stderr, "paribus: {}\n", hint.empty() ? problem.what() : hint);
    fmt::print(stderr, "try: {} --help\n", paribus::path_of(innermost(app)));
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
  paribus::add_watch_command(app, exit_status);
  paribus::add_results_command(app, exit_status);
  paribus::add_compare_command(app, exit_status);
  paribus::add_report_command(app, exit_status);
  paribus::add_seal_command(app, exit_status);
  paribus::add_sync_command(app, exit_status);
  paribus::add_fsck_command(app, exit_status);
  paribus::add_verify_command(app, exit_status);
  paribus::add_plugins_command(app, exit_status);
  paribus::add_lr_find_command(app, exit_status);
  paribus::add_show_data_command(app, exit_status);
  paribus::add_show_results_command(app, exit_status);
  paribus::add_help_command(app, exit_status);
  try {
    if (argc == 1) {  // no command yet: what there is
      fmt::print(stderr, "{}", app.help());
      return kWrongRequest;
    }
    if (const auto done = hidden(app, argc, argv)) return *done;
    return parse(app, argc, argv, exit_status);
  } catch (const paribus::driver::Interrupted&) {
    fmt::print(stderr, "interrupted\n");
    return kInterrupted;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}\n", problem.what());
    return kWrongRequest;
  }
}
