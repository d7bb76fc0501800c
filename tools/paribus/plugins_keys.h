// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace paribus {

/// `paribus plugins keys add NAME KEY`, `list`, `remove NAME`: whose signatures the user takes.
void add_plugins_keys_command(CLI::App& plugins, int& exit_status);

}  // namespace paribus
