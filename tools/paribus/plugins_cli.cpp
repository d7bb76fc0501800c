// SPDX-License-Identifier: Apache-2.0
// The words of `paribus plugins ...`; each command that does more than read is a file of its own.
#include <CLI/CLI.hpp>

#include "plugins_build.h"
#include "plugins_check.h"
#include "plugins_command.h"
#include "plugins_new.h"
#include "plugins_watch.h"

namespace paribus {

void add_plugins_command(CLI::App& app, int& exit_status) {
  CLI::App& plugins = add_plugins_reading(app, exit_status);
  add_plugins_new_command(plugins, exit_status);
  add_plugins_build_command(plugins, exit_status);
  add_plugins_check_command(plugins, exit_status);
  add_plugins_watch_command(plugins, exit_status);
}

}  // namespace paribus
