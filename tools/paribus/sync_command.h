// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "uplink/status.h"

namespace paribus {

void add_sync_command(CLI::App& app, int& exit_status);

/// A line for each tracker.
void print_trackers(const std::vector<uplink::Status>& trackers, std::FILE* out);

/// On stderr, of those that lack something, what to do.
void print_trackers_behind(const std::vector<uplink::Status>& trackers,
                           const std::filesystem::path& dir);

}  // namespace paribus
