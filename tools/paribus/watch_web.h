// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace paribus {

/// Serves the study's report as a page that grows, to this machine alone: prints its address, with
/// a token without which nothing is told, as a line on stdout, and serves until SIGINT, SIGTERM or
/// SIGHUP. `port` 0: one that is free. `control`: trials can be stopped from the page. Returns the
/// exit status. Throws Error where the directory isn't a study's or the port can't be had.
int watch_web(const std::filesystem::path& dir, unsigned port, bool control);

}  // namespace paribus
