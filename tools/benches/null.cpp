// SPDX-License-Identifier: Apache-2.0
// `bench_null STUDIES`: false verdicts where no arm differs, power and seeds where one does, as
// JSON.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "null_studies.h"

namespace paribus::bench {
namespace {

using nlohmann::json;

constexpr std::size_t kMostSeeds = 30;
constexpr std::pair<Noise, const char*> kNoises[] = {
    {Noise::normal, "normal"}, {Noise::skewed, "skewed"}, {Noise::heavy, "heavy-tailed"}};

json null_rows(std::size_t studies) {
  json rows = json::array();
  for (const std::size_t arms : {std::size_t{2}, std::size_t{4}}) {
    for (const auto& [noise, name] : kNoises) {
      const MadeUp kinds[] = {
          {.arms = arms, .noise = noise, .test = "t", .seeds = 5},
          {.arms = arms, .noise = noise, .seeds = 10},
          {.arms = arms, .noise = noise, .seeds = kMostSeeds, .until_decided = true},
          {.arms = arms, .noise = noise, .test = "t", .seeds = kMostSeeds, .until_decided = true}};
      for (const MadeUp& kind : kinds) {
        const Shares shares = NullStudies(kind).run(studies);
        rows.push_back({{"arms", arms},
                        {"noise", name},
                        {"test", kind.test},
                        {"seeds", kind.seeds},
                        {"until_decided", kind.until_decided},
                        {"false_verdicts", shares.false_verdicts},
                        {"mean_seeds", shares.seeds}});
      }
    }
  }
  return rows;
}

/// The fewest seeds with which a fixed design finds the effect as often.
std::pair<std::size_t, double> fixed_for(const MadeUp& bought, double power, std::size_t studies) {
  for (std::size_t seeds = 5;; ++seeds) {
    MadeUp fixed = bought;
    fixed.until_decided = false;
    fixed.seeds = seeds;
    const double found = NullStudies(fixed, 2).run(studies).found;
    if (found >= power || seeds == 40) return {seeds, found};
  }
}

json power_rows(std::size_t studies) {
  json rows = json::array();
  for (const double effect : {0.75, 1.0, 1.5, 2.0}) {
    const MadeUp kind{.seeds = kMostSeeds, .until_decided = true, .effect = effect};
    const Shares shares = NullStudies(kind).run(studies);
    // A power of nearly 1 is not to be told from 1 by so few studies.
    const auto [seeds, power] = fixed_for(kind, std::min(shares.found, 0.995), studies);
    rows.push_back({{"effect", effect},
                    {"power", shares.found},
                    {"mean_seeds", shares.seeds},
                    {"fixed_seeds", seeds},
                    {"fixed_power", power}});
  }
  return rows;
}

}  // namespace
}  // namespace paribus::bench

int main(int argc, char** argv) {
  const long studies = argc > 1 ? std::atol(argv[1]) : 10'000;
  if (studies < 1) {
    std::fprintf(stderr, "usage: bench_null [STUDIES]\n");
    return 2;
  }
  const auto count = static_cast<std::size_t>(studies);
  const nlohmann::json all = {{"studies", count},
                              {"null", paribus::bench::null_rows(count)},
                              {"planted", paribus::bench::power_rows(count)}};
  std::puts(all.dump(1).c_str());
  return 0;
}
