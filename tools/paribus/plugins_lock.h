// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace paribus {

/// `paribus plugins lock STUDY.toml...`: pins what the studies use in `paribus.lock` beside them.
void add_plugins_lock_command(CLI::App& plugins, int& exit_status);

}  // namespace paribus
