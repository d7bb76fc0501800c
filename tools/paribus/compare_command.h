// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>

#include "stats/compare.h"

namespace paribus {

/// The arms' table, who is not counted and why, and the verdict.
void print_comparison(const stats::Comparison& comparison, std::FILE* out);

/// `paribus compare DIR [--metric M] [--json]`
void add_compare_command(CLI::App& app, int& exit_status);

}  // namespace paribus
