// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus results DIR [--where EXPR] [--format table|csv|json] [--json]`
void add_results_command(CLI::App& app, int& exit_status);

}  // namespace paribus
