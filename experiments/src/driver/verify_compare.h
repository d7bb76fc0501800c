// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "journal/journal.h"

namespace paribus::driver {

/// A point that one of two records has otherwise, or not at all.
struct PointDifference {
  std::string series;
  std::int64_t step = 0;
  std::optional<double> one, other;
};

/// Fingerprints of one thing at one step.
struct WindowDifference {
  std::int64_t step = 0;
  std::uint32_t one = 0, other = 0;
};

struct TensorDifference {
  std::string tensor;
  std::uint32_t one = 0, other = 0;
};

/// Of something in the two ends: a final metric, the weights' sum.
struct EndDifference {
  std::string what, one, other;  // "" where it isn't
};

/// Two records of one trial, bit by bit: what comes first of each kind of difference.
struct Comparison {
  std::optional<PointDifference> point;
  std::optional<WindowDifference> window;
  std::int64_t full_step = -1;            // at which fingerprints of whole tensors differ first
  std::vector<TensorDifference> tensors;  // those that differ there, in the model's order
  std::vector<EndDifference> ends;

  std::size_t points = 0, windows = 0, fulls = 0;  // compared
  std::int64_t last_equal_full = 0;  // the last step before full_step at which all tensors agree
  std::size_t tensors_in_all = 0;

  [[nodiscard]] bool equal() const;
  /// The first step at which anything differs; none where only the ends do.
  [[nodiscard]] std::optional<std::int64_t> first_step() const;
};

/// Compares what both have up to and with step `until`; ends only where both trials came to theirs.
/// Fingerprints that only one of them has are no difference: they are made at other steps for a
/// bisection, and not at all by some devices.
Comparison compare(const journal::Record& one, const journal::Record& other,
                   std::int64_t until = std::numeric_limits<std::int64_t>::max());

}  // namespace paribus::driver
