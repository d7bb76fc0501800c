// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace paribus {

/// What a parameter can hold when it crosses from a study file, a manifest or Python into a part.
/// `monostate` is "not given", for optional parameters only.
using Value =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                 std::vector<double>, std::vector<std::string>>;

}  // namespace paribus
