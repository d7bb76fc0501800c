// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "recipe.h"

namespace paribus::python {

/// A subclass of paribus.part.Search (paribus.searching speaks for it).
PartBase* made_search(const Recipe& recipe);

}  // namespace paribus::python
