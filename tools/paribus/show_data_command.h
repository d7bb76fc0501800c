// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus show-data STUDY.toml`
void add_show_data_command(CLI::App& app, int& exit_status);

}  // namespace paribus
