// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/engine.h"
#include "driver/trial.h"
#include "registry/catalog.h"

namespace paribus::driver {

/// A trial whose first steps are those of another.
struct Shared {
  std::string trial, with;  // ids
  std::int64_t steps = 0;
};

/// Of all trials, which begin as another one does: those that differ in the numbers of their
/// schedules and in train.epochs alone. Equal ids count once.
std::vector<Shared> find_shared(const std::vector<Trial>& trials, const registry::Catalog& catalog,
                                Engine& engine);

}  // namespace paribus::driver
