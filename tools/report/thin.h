// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "journal/journal.h"

namespace paribus::report {

/// Points of neighbouring steps as one: what a line of one pixel's width can show of them.
struct Bucket {
  std::int64_t number = 0;  // steps >> shift
  std::int64_t last_step = 0;
  std::size_t n = 0;  // finite values
  double sum = 0;
  double least = 0, greatest = 0;
  std::int64_t least_step = 0, greatest_step = 0;

  [[nodiscard]] double mean() const { return sum / static_cast<double>(n); }
};

/// A series cut down so that neither its lowest nor its highest value is lost. A short one is kept
/// point by point (shift 0).
struct Thin {
  int shift = 0;
  std::vector<Bucket> buckets;  // in order of steps; those without a finite value are left out
  std::size_t points = 0;       // of the series
  std::size_t not_finite = 0;   // of these
  std::int64_t first_not_finite = 0;
};

Thin thin(const journal::Series& series, std::size_t most);

/// As thin() gives it for `most`, from one that was made for more.
void narrow(Thin& series, std::size_t most);

/// With wider buckets, so that two series can be laid side by side.
void coarsen(Thin& series, int shift);

}  // namespace paribus::report
