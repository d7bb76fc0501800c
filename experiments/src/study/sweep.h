// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
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

/// The points of a sweep, and the search that will ask for more as it sees results.
struct SweepPoints {
  std::vector<Variant> variants;  // named "address=value, ..."; of an adaptive search its probes
  std::optional<PartSpec> adaptive;
  std::vector<SweepAxis> axes;  // with their types
  Place place;                  // of the search
};

/// The points of a sweep as variants of the base. Asks `propose`, or makes the grid itself where
/// there is none.
SweepPoints points_of(const std::vector<SweepAxis>& axes, const Document& document,
                      Resolver& resolver, const registry::Catalog& catalog, const Proposer& propose,
                      Problems& problems);

/// "optimizer.lr=0.1"; a part by its name alone.
std::string label_of(const std::string& address, const Config& value);
/// What a choice means at one of an axis's addresses.
Config value_at(const SweepAxis& axis, std::size_t address, const SearchChoice& choice);
/// What is wrong with a point that a search part proposed, or "": that is input from outside.
std::string flaw_of(const SearchPoint& point, const std::vector<SweepAxis>& axes);
/// A swept value as results show it.
Value swept_value(const TrialSpec& spec, const Config::Entry& entry,
                  const registry::Catalog& catalog);

}  // namespace paribus
