// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "results/study_record.h"
#include "stats/compare.h"
#include "stats/readings.h"

namespace paribus::stats {

/// Fills in the effects of a factorial design: of each seed with a result in every arm the mean of
/// half of the arms less that of the other half, so that what the seed does to all of them cancels;
/// then the tests of paired differences. Verdicts are left to `judge`. `intervals`: as of
/// stats::anytime.
void estimate_effects(const results::StudyRecord& study, const ByArm& trials, bool intervals,
                      Comparison& comparison);

}  // namespace paribus::stats
