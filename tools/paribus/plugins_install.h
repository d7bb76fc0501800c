// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace paribus {

/// `paribus plugins install FILE|URL [--key KEY] [--sha256 SUM] [--unsigned] [--json]`: verifies a
/// plugin, then puts it into the user's data folder.
void add_plugins_install_command(CLI::App& plugins, int& exit_status);

}  // namespace paribus
