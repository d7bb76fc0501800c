// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "paribus/record.h"

namespace paribus::worker {

/// The PNG file of a picture. Throws Error if libpng can't make it.
std::string png_of(const Pixels& pixels);

}  // namespace paribus::worker
