// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <clocale>
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

namespace {

constexpr int kWrongRequest = 2;
constexpr int kInterrupted = 130;

/// CLI11 says that it didn't expect the word; people want to know which word they meant.
std::string misspelt_command(const CLI::App& app, int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == word) return "";
    names.push_back(command->get_name());
  }
  if (word.empty() || word.front() == '-') return "";
  return fmt::format("there is no command '{}'{}", word,
                     paribus::registry::did_you_mean(word, names));
}

int parse(CLI::App& app, int argc, char** argv, const int& exit_status) {
  try {
    app.parse(argc, argv);
    return exit_status;
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return app.exit(problem);  // --help, --version
    const std::string misspelt = misspelt_command(app, argc, argv);
    fmt::print(stderr, "paribus: {}\n", misspelt.empty() ? problem.what() : misspelt);
    const bool known = misspelt.empty() && argc > 1 && argv[1][0] != '-';
    fmt::print(stderr, "try: paribus {}{}--help\n", known ? argv[1] : "", known ? " " : "");
    return kWrongRequest;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "");  // for the display only: numbers keep their point
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
  paribus::add_plugins_command(app, exit_status);
  paribus::add_lr_find_command(app, exit_status);
  try {
    return parse(app, argc, argv, exit_status);
  } catch (const paribus::driver::Interrupted&) {
    fmt::print(stderr, "interrupted\n");
    return kInterrupted;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}\n", problem.what());
    return kWrongRequest;
  }
}
