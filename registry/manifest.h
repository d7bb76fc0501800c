// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "registry/schema.h"

namespace paribus::registry {

/// The parts that the text of a section `.paribus` states: JSON manifests, each ended by '\n',
/// padded with NUL bytes. Bounded in lines, length and depth. Throws Error with the reason and what
/// to do, without the file's name.
std::vector<PartSchema> parse_manifests(std::string_view section);

}  // namespace paribus::registry
