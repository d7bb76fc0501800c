// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace paribus {

/// paribus(1), in man(7)'s macros, made of what `app` knows of its commands. `date`: of the build,
/// YYYY-MM-DD.
std::string man_page(const CLI::App& app, const std::string& version, const std::string& date);

}  // namespace paribus
