// SPDX-License-Identifier: Apache-2.0
#include "thin.h"

#include <algorithm>
#include <cmath>

namespace paribus::report {
namespace {

int shift_for(const std::vector<std::int64_t>& steps, std::size_t most) {
  if (steps.size() <= most) return 0;
  const auto [first, last] = std::minmax_element(steps.begin(), steps.end());
  int shift = 0;
  while (static_cast<std::uint64_t>((*last >> shift) - (*first >> shift)) >= most) ++shift;
  return shift;
}

void join(Bucket& into, const Bucket& next) {
  into.last_step = std::max(into.last_step, next.last_step);
  into.n += next.n;
  into.sum += next.sum;
  if (next.least < into.least) {
    into.least = next.least;
    into.least_step = next.least_step;
  }
  if (next.greatest > into.greatest) {
    into.greatest = next.greatest;
    into.greatest_step = next.greatest_step;
  }
}

void add(std::vector<Bucket>& buckets, const Bucket& next) {
  if (!buckets.empty() && buckets.back().number == next.number)
    join(buckets.back(), next);
  else
    buckets.push_back(next);
}

}  // namespace

Thin thin(const journal::Series& series, std::size_t most) {
  Thin result;
  result.shift = shift_for(series.steps, most);
  result.points = series.steps.size();
  for (std::size_t i = 0; i < series.steps.size(); ++i) {
    const std::int64_t step = series.steps[i];
    const double value = series.values[i];
    if (!std::isfinite(value)) {
      if (result.not_finite++ == 0) result.first_not_finite = step;
      continue;
    }
    add(result.buckets, {step >> result.shift, step, 1, value, value, value, step, step});
  }
  return result;
}

void narrow(Thin& series, std::size_t most) {
  if (series.points <= most || series.buckets.empty()) return;
  while (static_cast<std::uint64_t>(series.buckets.back().number - series.buckets.front().number) >=
         most)
    coarsen(series, series.shift + 1);
}

void coarsen(Thin& series, int shift) {
  if (shift <= series.shift) return;
  std::vector<Bucket> wider;
  for (Bucket bucket : series.buckets) {
    bucket.number >>= shift - series.shift;
    add(wider, bucket);
  }
  series.buckets = std::move(wider);
  series.shift = shift;
}

}  // namespace paribus::report
