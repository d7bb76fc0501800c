// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "results/study_record.h"

namespace paribus::report {

/// How much of a metric's order among a sweep's trials one swept parameter tells by itself.
struct Importance {
  std::string axis;
  double share = 0;        // (H - k + 1) / (n - k) of Kruskal and Wallis' H: 0 nothing, 1 all
  std::size_t groups = 0;  // k: its values, or eight ranges of them where it has more
  std::size_t n = 0;       // trials
};

/// Ranks, so a few trials that went astray weigh no more than any. Tomczak & Tomczak 2014, "The
/// need to report effect size estimates revisited". Most important first; without axes that took
/// one value, and empty where fewer than ten trials count.
std::vector<Importance> importance_of(const results::StudyRecord& study);

}  // namespace paribus::report
