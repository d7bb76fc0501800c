// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <vector>

namespace paribus {

/// `paribus plugins build DIR`: configure, compile, read the manifests back, run the tests, hold
/// the parts to the laws.
void add_plugins_build_command(CLI::App& plugins, int& exit_status);

/// Configures and compiles a project of plugins into its folder `build`; tells what the compiler
/// says where it fails. The plugins it made; none if it failed.
std::vector<std::filesystem::path> compile_plugins(const std::filesystem::path& project);

}  // namespace paribus
