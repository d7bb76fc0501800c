// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace paribus {

/// A PNG file as DEC's sixels: up to 256 colours, on white. Throws Error if it can't be read.
std::string sixels(const std::string& png);

}  // namespace paribus
