// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Statistics of paired differences. Formulas and the reasons for the choices: docs/statistics.md.
namespace paribus::stats {

/// Above so many pairs the permutation test draws sign flips at random instead of counting all of
/// them.
inline constexpr std::size_t kExactPairs = 40;

/// What can't be computed from so few pairs is NaN.
struct Paired {
  std::size_t n = 0;
  double mean = 0, sd = 0;   // of the differences; sd with n - 1
  double low = 0, high = 0;  // (1 - alpha) interval of the mean, Student's t
  double t = 0;
  double p_t = 0;            // paired t-test, two-sided
  double p_permutation = 0;  // sign flips, two-sided
};

enum class Tests : std::uint8_t { all, none };  // none: p-values and interval stay NaN

/// All differences must be finite.
Paired paired(const std::vector<double>& differences, double alpha, Tests tests = Tests::all);

/// The share of all 2^n sign patterns whose |sum| is at least that of the data; each pattern
/// counted for n <= kExactPairs, else 999,999 drawn from a fixed stream, plus the data itself. 1
/// for n = 0.
double permutation_p(const std::vector<double>& differences);

/// p-values adjusted for their number by Holm's method, in the order given; NaN stays NaN and does
/// not count.
std::vector<double> holm(const std::vector<double>& p);

/// The smallest p that a permutation test of n pairs can give: 2^(1 - n), at most 1.
double smallest_p(std::size_t n);

/// The fewest pairs with which the smallest of `comparisons` p-values can reach alpha after Holm's
/// adjustment.
std::size_t pairs_needed(double alpha, std::size_t comparisons);

}  // namespace paribus::stats
