// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "study/arms.h"
#include "study/document.h"
#include "study/resolve.h"

namespace paribus {

constexpr std::size_t kMaxTrials = 100'000;

/// One axis of [sweep], read: a list of values for each address, or a range.
struct SweepAxis {
  SearchAxis search;
  std::vector<Place> key_places;            // of each address
  std::vector<std::vector<Config>> values;  // [address][index]; empty for a range
  Place place;
  Config given;  // as written
};

/// Reads [sweep]: its axes in order.
std::vector<SweepAxis> axes_of(const Config& sweep, Problems& problems);

/// The points of a sweep as variants of the base, named "address=value, ...". Asks `propose`, or
/// makes the grid itself where there is none.
std::vector<Variant> points_of(const std::vector<SweepAxis>& axes, const Document& document,
                               Resolver& resolver, const registry::Catalog& catalog,
                               const Proposer& propose, Problems& problems);

}  // namespace paribus
