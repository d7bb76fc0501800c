// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus plugins new KIND NAME [--dir DIR]`: a folder with a part to begin with, its test, what
/// builds it and a study that uses it.
void add_plugins_new_command(CLI::App& plugins, int& exit_status);

}  // namespace paribus
