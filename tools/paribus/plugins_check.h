// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <vector>

namespace paribus {

/// `paribus plugins check FILE.so`: holds each part of a file to the laws.
void add_plugins_check_command(CLI::App& plugins, int& exit_status);

/// The same for several, as they are by default. Prints the reports; whether no law is broken.
bool hold_to_laws(const std::vector<std::filesystem::path>& plugins);

}  // namespace paribus
