// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace paribus::registry {

/// With `+`, `/` and padding (RFC 4648, section 4), on one line.
std::string base64(std::string_view bytes);

}  // namespace paribus::registry
