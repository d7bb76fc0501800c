// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus check STUDY.toml`: everything that `run` checks, and nothing written.
void add_check_command(CLI::App& app, int& exit_status);

}  // namespace paribus
