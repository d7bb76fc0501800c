// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "study/arms.h"
#include "study/design.h"

namespace paribus {

/// The arms that [ablate] writes, the baseline first, and the design that they make, if any. What
/// is wrong goes to the problems.
std::vector<Variant> ablated(const Config& ablate, Design& design, Problems& problems);

/// [design], which a resolved study has beside its arms; the same design again. `arms`: how many.
Design written_design(const Config& table, std::size_t arms, Problems& problems);

}  // namespace paribus
