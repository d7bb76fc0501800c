// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus report DIR [--out FILE.html] [--format html|latex|markdown|json]`
void add_report_command(CLI::App& app, int& exit_status);

}  // namespace paribus
