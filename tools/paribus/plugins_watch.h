// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus plugins watch DIR`: builds when a file is saved, and trains the study's first trial
/// that uses what was built.
void add_plugins_watch_command(CLI::App& plugins, int& exit_status);

}  // namespace paribus
