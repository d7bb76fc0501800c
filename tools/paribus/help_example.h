// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "registry/schema.h"

namespace paribus {

/// A whole study with the part in it, as short as `paribus check` lets it be.
std::string study_example(const registry::PartSchema& part);

}  // namespace paribus
