// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus show-results DIR [TRIAL]`
void add_show_results_command(CLI::App& app, int& exit_status);

}  // namespace paribus
