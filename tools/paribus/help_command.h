// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace paribus {

/// `paribus help [COMMAND... | KIND | KIND/NAME] [--json]`: of all commands of `app`.
void add_help_command(CLI::App& app, int& exit_status);

}  // namespace paribus
