// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "results/study_record.h"
#include "stats/compare.h"

/// Several studies that ask the same, arm by arm: last month against today.
namespace paribus::stats {

/// A key with other values in two studies: "optimizer.lr", "0.1", "0.01". "" where it isn't.
struct Change {
  std::string key, before, after;
  friend bool operator==(const Change&, const Change&) = default;
};

/// An arm of a later study, held against the arm of its name in the first.
struct Pairing {
  std::string arm;
  std::size_t study = 1;        // number of the later one
  std::vector<Change> changes;  // of the configuration
};

struct Across {
  std::vector<std::string> labels;            // of the studies: as short as tells them apart
  results::StudyRecord all;                   // as one, in the first one's terms: arms LABEL/ARM
  std::vector<Pairing> pairings;              // a row of the comparison each
  Comparison comparison;                      // arms are named LABEL/ARM
  std::vector<std::vector<Change>> settings;  // of each later study: software and machine
  std::vector<std::string> unmatched;         // "today/ema": no partner in the first, or elsewhere
};

/// `metric`: "" for that of the first study. Throws Error where the studies have no arm in common,
/// or their numbers aren't of one kind: another metric, goal or value that counts.
Across across(const std::vector<results::StudyRecord>& studies, const std::string& metric);

}  // namespace paribus::stats
