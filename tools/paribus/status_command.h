// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>

#include "results/view.h"

namespace paribus {

/// How far each arm is, and which trials run, failed or stopped. Returns how many are over: done,
/// or left by their search.
std::size_t print_status(const results::StudyView& study, std::FILE* out);

/// The trials that failed, why, and where their stacks are; many are cut short.
void print_failures(const results::StudyView& study, std::FILE* out);

/// `paribus status DIR [--json]`
void add_status_command(CLI::App& app, int& exit_status);

}  // namespace paribus
