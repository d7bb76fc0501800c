// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stats/compare.h"

namespace paribus::stats {

/// Sets the verdict and the sentence of one arm or effect, and needs all else of it. `comparisons`:
/// arms, or effects, with data.
void judge(const Comparison& comparison, std::size_t comparisons, ArmComparison& arm);
void judge(const Comparison& comparison, std::size_t comparisons, EffectEstimate& effect);

/// The study's sentence, from those of its effects or else arms. `unfinished`: trials of the plan
/// that are not done.
std::string summary(const Comparison& comparison, std::size_t trials, std::size_t unfinished);

}  // namespace paribus::stats
