// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus resume DIR`: goes on with the study of a directory, from its own study.toml.
void add_resume_command(CLI::App& app, int& exit_status);

}  // namespace paribus
