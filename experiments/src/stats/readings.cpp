// SPDX-License-Identifier: Apache-2.0
#include "stats/readings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace paribus::stats {
namespace {

using results::StudyRecord;
using results::Trial;

Reading reading(const Trial& trial, const std::string& metric, const std::string& at) {
  if (trial.status != results::Status::done) {
    return {0, fmt::format("{} {}", trial.arm, results::to_text(trial.status))};
  }
  const auto& values = at == "best" ? trial.best : trial.last;
  const auto found = values.find(metric);
  if (found == values.end()) return {0, fmt::format("{} has no {}", trial.arm, metric)};
  if (!std::isfinite(found->second))
    return {0, fmt::format("{} of {} is not finite", metric, trial.arm)};
  return {found->second, ""};
}

bool is_before(const Trial* a, const Trial* b) { return a->seed < b->seed; }

auto with_seed(std::int64_t seed, const BySeed& trials) {
  const auto begin = std::lower_bound(
      trials.begin(), trials.end(), seed,
      [](const Trial* trial, std::int64_t wanted) { return trial->seed < wanted; });
  auto end = begin;
  while (end != trials.end() && (*end)->seed == seed) ++end;
  return std::pair(begin, end);
}

}  // namespace

ByArm by_arm(const StudyRecord& study) {
  ByArm arms;
  for (const std::string& arm : study.arms) arms[arm];
  for (const Trial& trial : study.trials) arms[trial.arm].push_back(&trial);
  for (auto& [arm, trials] : arms) {
    if (!std::is_sorted(trials.begin(), trials.end(), is_before))
      std::stable_sort(trials.begin(), trials.end(), is_before);
  }
  return arms;
}

std::vector<std::int64_t> seeds_of(const std::vector<const BySeed*>& arms) {
  std::vector<std::int64_t> seeds;
  for (const BySeed* arm : arms) {
    for (const Trial* trial : *arm) seeds.push_back(trial->seed);
  }
  std::sort(seeds.begin(), seeds.end());
  seeds.erase(std::unique(seeds.begin(), seeds.end()), seeds.end());
  return seeds;
}

Reading reading_at(std::int64_t seed, const BySeed& trials, const std::string& metric,
                   const std::string& at, const std::string& arm) {
  const auto [found, end] = with_seed(seed, trials);
  if (found == end) return {0, fmt::format("{} has no such trial", arm)};
  if (end - found > 1) return {0, fmt::format("{} has {} such trials", arm, end - found)};
  return reading(**found, metric, at);
}

bool is_unfinished(std::int64_t seed, const BySeed& trials) {
  const auto [found, end] = with_seed(seed, trials);
  return found == end || std::any_of(found, end, [](const Trial* trial) {
           using enum results::Status;
           return trial->status != done && trial->status != failed && trial->status != pruned;
         });
}

}  // namespace paribus::stats
