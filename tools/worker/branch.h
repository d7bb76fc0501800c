// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.h"

namespace paribus::worker {

/// Keeps the checkpoint of a step for trials that begin with it.
void keep_branch(const std::filesystem::path& checkpoint, std::int64_t step);

/// The beginning that a trial shares with another.
struct Beginning {
  std::filesystem::path journal;  // of the other trial
  std::filesystem::path folder;   // its checkpoints
  std::int64_t step = 0;
  /// By series, what the trial's own schedules gave in those steps: recorded where the other, which
  /// had the same values without a schedule, has no such series.
  std::map<std::string, std::vector<double>> driven;
};

/// Makes a trial that has nothing yet look as if it had trained up to there itself: the other's
/// points into its journal, then the other's checkpoint into its folder. Returns the seconds that
/// those steps took. Nothing, with the journal good for a start from nothing, where the checkpoint
/// or its points are not there.
std::optional<double> begin_with(const Beginning& other, journal::Writer& journal,
                                 const std::filesystem::path& folder);

/// By step of each checkpoint of a trial, the seconds of training up to there.
std::map<std::int64_t, double> seconds_of(const journal::Record& record);

}  // namespace paribus::worker
