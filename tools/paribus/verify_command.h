// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus verify DIR [TRIAL...]`: runs trials again and says whether every bit is as recorded.
void add_verify_command(CLI::App& app, int& exit_status);

}  // namespace paribus
