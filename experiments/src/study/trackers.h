// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "study/resolve.h"
#include "study/study.h"

namespace paribus {

/// The entries of [[tracker]]: parts, each with the patterns of the metrics it gets.
std::vector<TrackerSpec> trackers_of(const Config* list, Resolver& resolver, Problems& problems);

/// Of an address: "https://user:password@host/".
bool holds_password(std::string_view address);

}  // namespace paribus
