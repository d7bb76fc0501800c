// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parts.h"

namespace paribus::python {

/// One trial of a study, its parts loaded into this process.
struct TrialHere {
  std::string arm;
  TrialSpec spec;
  registry::Catalog catalog;  // the study's own folders included
};

/// That of the arm and seed; of the first ones unless they are named. Throws StudyError.
TrialHere trial_of(const std::string& study, const std::vector<std::string>& overrides,
                   const std::optional<std::string>& arm, std::optional<std::uint64_t> seed);

}  // namespace paribus::python
