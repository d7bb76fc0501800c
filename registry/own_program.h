// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace paribus::registry {

/// The program that runs: plugins, packages and other programs lie where it does. Within an
/// interpreter it is the one that `stand_for` named.
std::filesystem::path own_program();

/// Says whose place a library in another program takes. To be called before anything else is.
void stand_for(std::filesystem::path program);

}  // namespace paribus::registry
