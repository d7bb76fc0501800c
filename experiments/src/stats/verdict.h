// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stats/compare.h"

namespace paribus::stats {

/// Sets the verdict and the sentence of one arm, and needs all else of it. `comparisons`: arms with
/// data.
void judge(const Comparison& comparison, std::size_t comparisons, ArmComparison& arm);

/// The study's sentence, from the arms'. `unfinished`: trials of the plan that are not done.
std::string summary(const Comparison& comparison, std::size_t trials, std::size_t unfinished);

}  // namespace paribus::stats
