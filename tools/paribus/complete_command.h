// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace paribus {

/// What the scripts of tools/shell ask, so that all shells are told the same:
///
///     paribus complete words WORD...           the words behind `paribus`; the last is being typed
///     paribus complete bash BREAKS LINE        bash's own: the whole line up to the cursor
///
/// Prints a line with the form of the answer (`words`, `paths`, `files`), then a line for each
/// candidate, whole, with a tab and what it is behind it. For bash, what it is to put in. Ends with
/// status 0, or after five seconds by SIGALRM: a shell waits for it.
int complete(const CLI::App& app, const std::vector<std::string>& arguments);

}  // namespace paribus
