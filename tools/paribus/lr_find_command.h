// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus lr-find STUDY.toml`: the loss over a growing learning rate, and the rate that it
/// suggests.
void add_lr_find_command(CLI::App& app, int& exit_status);

}  // namespace paribus
