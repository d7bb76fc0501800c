// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace paribus {

/// `paribus run STUDY.toml`: check, run what is missing, show progress, end with the table.
void add_run_command(CLI::App& app, int& exit_status);

/// What `run` and `resume` have in common.
struct RunRequest {
  std::filesystem::path study, directory;
  std::vector<std::string> overrides;
  std::size_t at_once = 0;
  bool fresh = false, quiet = false, resuming = false, locked = false;
  bool no_report = false;
  std::string isolate = "fork";  // or "exec"
};

/// `--isolate`, which `run` and `resume` share.
void add_isolate_option(CLI::App& command, RunRequest& request);

/// `--no-report`, likewise.
void add_report_option(CLI::App& command, RunRequest& request);

/// `--locked`, which `check` has, too.
void add_locked_option(CLI::App& command, bool& locked);

/// The exit status: 0 all done, 1 a trial failed, 130 interrupted. Throws StudyError or Error if it
/// can't begin.
int run(const RunRequest& request);

}  // namespace paribus
