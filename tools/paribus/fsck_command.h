// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus fsck DIR [--repair] [--json]`: exit status 1 if a journal is torn or damaged and was
/// not repaired.
void add_fsck_command(CLI::App& app, int& exit_status);

}  // namespace paribus
