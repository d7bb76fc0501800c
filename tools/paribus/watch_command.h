// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus watch DIR [--once | --json | --web [--port N]]`
void add_watch_command(CLI::App& app, int& exit_status);

}  // namespace paribus
