// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "results/study_record.h"
#include "thin.h"

namespace paribus::report {

/// Learning curves: of each metric and arm every seed's line and, of two seeds or more, their mean
/// with the least and the greatest of them. Of a large study some trials, evenly chosen, and it
/// says of how many; of each line no more points than a screen can show.
nlohmann::json curves_of(const results::StudyRecord& study);

/// A series of a trial, cut down.
struct Curve {
  std::string name, unit;
  Thin points;
};

/// Gives every series of one of the study's trials that has points, each thinned to `most`.
using ReadCurves = std::function<std::vector<Curve>(const results::Trial&, std::size_t most)>;

/// The same of series that the caller has.
nlohmann::json curves_of(const results::StudyRecord& study, const ReadCurves& read);

/// Reads a trial's journal. Of one that isn't there, or can't be read, nothing: the study's
/// problems tell it.
std::vector<Curve> read_curves(const results::StudyRecord& study, const results::Trial& trial,
                               std::size_t most);

/// The shortest number that is the same as float32 where the value is one, else the value; null if
/// it isn't finite.
nlohmann::json short_number(double value);

}  // namespace paribus::report
