// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace paribus {

/// A regular fraction of a two-level factorial: the first factors make a full factorial, each
/// further one is on where the product of some of those (a generator such as "ABC", +1 for on, -1
/// for off) is +1.
struct Fraction {
  std::size_t factors = 0, arms = 0, resolution = 0;
  std::vector<std::string> generators;  // of the factors after the first log2(arms)
};

/// Names of factors in generators: A, B, ... without I, which stands for the mean.
inline constexpr char kFactorLetters[] = "ABCDEFGHJKLMNOPQ";
inline constexpr std::size_t kMaxFactors = 16;

/// Those of least aberration up to 12 factors (G. Box, J. Hunter, W. Hunter: Statistics for
/// Experimenters, 2nd ed., table 6.22; of 12 factors in 128 and 256 arms found by search), in 16
/// and 32 arms up to 16 factors; by factors, then arms rising.
const std::vector<Fraction>& known_fractions();

}  // namespace paribus
