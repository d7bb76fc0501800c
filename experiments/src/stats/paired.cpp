// SPDX-License-Identifier: Apache-2.0
#include "stats/paired.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

namespace paribus::stats {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kDraws = 999'999;

/// All sums of +-d over a range.
std::vector<double> signed_sums(const double* begin, const double* end) {
  std::vector<double> sums{0};
  for (const double* d = begin; d != end; ++d) {
    const std::size_t count = sums.size();
    for (std::size_t i = 0; i < count; ++i) sums.push_back(sums[i] - *d);
    for (std::size_t i = 0; i < count; ++i) sums[i] += *d;
  }
  return sums;
}

/// Meets in the middle: every pattern is a sum of one half's and one of the other's, so 2^(n/2) log
/// suffice for 2^n.
double exact_p(const std::vector<double>& d, double bar) {
  const double* middle = d.data() + d.size() / 2;
  const auto left = signed_sums(d.data(), middle);
  auto right = signed_sums(middle, d.data() + d.size());
  std::sort(right.begin(), right.end());
  double hits = 0;  // at most 2^40, so exact
  for (const double sum : left) {
    const auto above = std::lower_bound(right.begin(), right.end(), bar - sum);
    hits += static_cast<double>(right.end() - above);
  }
  return std::min(1.0, std::ldexp(2 * hits, -static_cast<int>(d.size())));
}

std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

double drawn_p(const std::vector<double>& d, double bar) {
  std::uint64_t hits = 1, draw = 0;
  for (std::uint64_t round = 0; round < kDraws; ++round) {
    double sum = 0;
    std::uint64_t signs = 0;
    for (std::size_t i = 0; i < d.size(); ++i) {
      if (i % 64 == 0) signs = mix(draw++);
      sum += (signs >> (i % 64)) & 1 ? d[i] : -d[i];
    }
    if (std::abs(sum) >= bar) ++hits;
  }
  return static_cast<double>(hits) / static_cast<double>(kDraws + 1);
}

}  // namespace

double permutation_p(const std::vector<double>& differences) {
  double sum = 0, size = 0;
  for (const double d : differences) sum += d, size += std::abs(d);
  // Patterns that tie with the data must count as such in spite of rounding: 1e-12 is far above the
  // error of a sum of so few terms, and far below what metrics resolve.
  const double bar = std::abs(sum) - 1e-12 * size;
  if (!(bar > 0)) return 1;
  return differences.size() <= kExactPairs ? exact_p(differences, bar) : drawn_p(differences, bar);
}

Paired paired(const std::vector<double>& differences, double alpha, Tests tests) {
  Paired result{.n = differences.size(),
                .mean = kNaN,
                .sd = kNaN,
                .low = kNaN,
                .high = kNaN,
                .t = kNaN,
                .p_t = kNaN,
                .p_permutation = kNaN};
  if (result.n == 0) return result;
  const auto n = static_cast<double>(result.n);
  result.mean = std::accumulate(differences.begin(), differences.end(), 0.0) / n;
  if (tests == Tests::all) result.p_permutation = permutation_p(differences);
  if (result.n == 1) return result;
  double squares = 0;
  for (const double d : differences) squares += (d - result.mean) * (d - result.mean);
  const auto [least, most] = std::minmax_element(differences.begin(), differences.end());
  result.sd = *least == *most ? 0 : std::sqrt(squares / (n - 1));
  const double error = result.sd / std::sqrt(n);
  if (!std::isfinite(error)) return result;  // beyond what a double holds
  if (tests == Tests::none) {
    if (error > 0) result.t = result.mean / error;
    return result;
  }
  if (error == 0) {
    const bool is_zero = result.mean == 0;
    result.low = result.high = result.mean;
    result.t = is_zero ? 0 : std::copysign(std::numeric_limits<double>::infinity(), result.mean);
    result.p_t = is_zero ? 1 : 0;
    return result;
  }
  const boost::math::students_t student(n - 1);
  const double reach = boost::math::quantile(boost::math::complement(student, alpha / 2)) * error;
  result.low = result.mean - reach;
  result.high = result.mean + reach;
  result.t = result.mean / error;
  result.p_t =
      std::min(1.0, 2 * boost::math::cdf(boost::math::complement(student, std::abs(result.t))));
  return result;
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size(), kNaN);
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest =
        std::max(largest, std::min(1.0, static_cast<double>(order.size() - rank) * p[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

double smallest_p(std::size_t n) {
  const int flips = static_cast<int>(std::min<std::size_t>(n, 1000));
  return n == 0 ? 1 : std::ldexp(1.0, 1 - flips);
}

std::size_t pairs_needed(double alpha, std::size_t comparisons) {
  std::size_t n = 1;
  while (n < 1000 && static_cast<double>(comparisons) * smallest_p(n) > alpha) ++n;
  return n;
}

}  // namespace paribus::stats
