// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "results/study_record.h"

namespace paribus::stats {

/// The trials of one arm, in order of their seeds; several of one seed where the plan repeats
/// itself.
using BySeed = std::vector<const results::Trial*>;

/// All of them; an arm of the study without a trial has an empty entry.
using ByArm = std::unordered_map<std::string, BySeed>;

ByArm by_arm(const results::StudyRecord& study);

/// Every seed that one of the arms has, rising.
std::vector<std::int64_t> seeds_of(const std::vector<const BySeed*>& arms);

/// The metric of an arm with one seed, or why there is none.
struct Reading {
  double value = 0;
  std::string problem;  // "lookahead failed"
};

/// `at`: "last" or "best".
Reading reading_at(std::int64_t seed, const BySeed& trials, const std::string& metric,
                   const std::string& at, const std::string& arm);

/// Whether a trial of this seed is still to end, or was never bought.
bool is_unfinished(std::int64_t seed, const BySeed& trials);

}  // namespace paribus::stats
