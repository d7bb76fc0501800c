// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "study/resolve.h"
#include "study/study.h"

namespace paribus {

/// The entries of [[tracker]]: parts, each with the patterns of the metrics it gets.
std::vector<TrackerSpec> trackers_of(const Config* list, Resolver& resolver, Problems& problems);

}  // namespace paribus
