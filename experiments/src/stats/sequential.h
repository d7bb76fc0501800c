// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

/// Statistics that hold at every moment at which one may look: for seeds = "until decided". A
/// gambler with 1 unit bets on each difference in the order of the seeds, at odds that are fair if
/// there is no effect; that it ever owns 1/p then has a chance of at most p (Ville's inequality).
/// Formulas, sources and the reasons for the choices: docs/statistics.md.
namespace paribus::stats {

struct Anytime {
  double p = 1;      // 1 over the most that the gambler ever owned; it never rises
  int sign = 0;      // of the effect by the time of that most: -1, 1, or 0 where nothing was won
  double low, high;  // (1 - alpha) interval at every moment together; infinite while it has no end
  bool identical = false;  // every difference is exactly 0, in as many pairs as could decide
};

/// `test`: "permutation" bets on the sign of each difference given its size, so only symmetry under
/// equal arms is assumed; "t" is the t-test with a normal mixture over the size of the effect, and
/// assumes normal differences. `differences` are finite, in the order of their seeds. The interval
/// costs far more than the rest: without `interval` it is NaN.
Anytime anytime(const std::vector<double>& differences, std::string_view test, double alpha,
                bool interval = true);

/// The fewest pairs with which the smallest of `comparisons` p-values can reach alpha after Holm's
/// adjustment; also the seeds that such a study begins with (comparisons = 1).
std::size_t anytime_pairs_needed(std::string_view test, double alpha, std::size_t comparisons = 1);

/// The smallest p that n pairs can give.
double smallest_anytime_p(std::string_view test, std::size_t n);

}  // namespace paribus::stats
