// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace paribus {

/// The files of tools/templates, by folder and name, as the build compiled them in: the program is
/// whole without them.
const std::map<std::string, std::map<std::string, std::string>>& templates();

}  // namespace paribus
