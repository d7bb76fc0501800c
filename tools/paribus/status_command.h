// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>

#include "results/study_record.h"

namespace paribus {

/// How far each arm is, and which trials run, failed or stopped.
void print_status(const results::StudyRecord& study, std::FILE* out);

/// `paribus status DIR [--json]`
void add_status_command(CLI::App& app, int& exit_status);

}  // namespace paribus
