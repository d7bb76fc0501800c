// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace paribus {

/// `paribus seal DIR`: writes results.h5 anew from the journals.
void add_seal_command(CLI::App& app, int& exit_status);

}  // namespace paribus
