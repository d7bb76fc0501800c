// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "study/arms.h"
#include "study/study.h"

namespace paribus {

/// How the trials of a study came about: all that is needed to say where a value was written.
struct Provenance {
  Config base;
  std::vector<Variant> variants;  // one for each of the study's arms
  Config sweep;                   // empty where there is none
};

/// A TOML study that gives the same trials, each value with a comment saying where it came from.
/// What all arms share stands in the base; a place in which they differ is written whole in every
/// arm. `specs` has one trial of each arm; of a sweep, of each kind of point that holds other
/// parts.
std::string resolved_text(const Study& study, const std::vector<const TrialSpec*>& specs);

}  // namespace paribus
