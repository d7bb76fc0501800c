// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "study/config.h"
#include "study/problems.h"

namespace paribus {

/// `train.recipe` is a short word for other keys; docs/fine_tuning.md has what each stands for.
/// Puts those that aren't written into a study.
void expand_recipe(Config& root, Problems& problems);

/// An arm's overlays, with what its recipe stands for under them.
std::vector<Config> with_recipe(std::vector<Config> overlays, Problems& problems);

}  // namespace paribus
