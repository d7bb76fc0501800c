// SPDX-License-Identifier: Apache-2.0
#include "stats/comparison_json.h"

#include <cmath>

#include "stats/sequential.h"

namespace paribus::stats {
namespace {

using nlohmann::json;

json finite(double value) { return std::isfinite(value) ? json(value) : json(); }

double smallest_p(const Comparison& comparison, std::size_t n) {
  return comparison.anytime ? smallest_anytime_p(comparison.test, n) : stats::smallest_p(n);
}

json to_json(const Comparison& comparison, const Tested& question) {
  json excluded = json::array();
  for (const auto& one : question.excluded)
    excluded.push_back({{"seed", one.seed}, {"reason", one.reason}});
  const Paired& paired = question.paired;
  return {{"n", paired.n},
          {"seeds", question.seeds},
          {"excluded", excluded},
          {"sd", finite(paired.sd)},
          {"low", finite(paired.low)},
          {"high", finite(paired.high)},
          {"t", finite(paired.t)},
          {"p_t", finite(paired.p_t)},
          {"p_permutation", finite(paired.p_permutation)},
          {"p", finite(question.p)},
          {"p_holm", finite(question.p_holm)},
          {"smallest_p", smallest_p(comparison, paired.n)},
          {"verdict", to_text(question.verdict)},
          {"sentence", question.sentence}};
}

json arm_json(const Comparison& comparison, const ArmComparison& arm) {
  json row = to_json(comparison, arm);
  row.update({{"arm", arm.arm},
              {"baseline_mean", finite(arm.baseline_mean)},
              {"arm_mean", finite(arm.arm_mean)},
              {"difference", finite(arm.paired.mean)}});
  return row;
}

json effect_json(const Comparison& comparison, const EffectEstimate& effect) {
  json row = to_json(comparison, effect);
  row.update({{"effect", effect.name},
              {"order", effect.order},
              {"aliases", effect.aliases},
              {"estimate", finite(effect.paired.mean)}});
  return row;
}

}  // namespace

json to_json(const Comparison& comparison) {
  json arms = json::array(), effects = json::array();
  for (const auto& arm : comparison.arms) arms.push_back(arm_json(comparison, arm));
  for (const auto& effect : comparison.effects) effects.push_back(effect_json(comparison, effect));
  return {{"metric", comparison.metric},
          {"unit", comparison.unit},
          {"goal", comparison.goal},
          {"test", comparison.test},
          {"at", comparison.at},
          {"baseline", comparison.baseline},
          {"alpha", comparison.alpha},
          {"margin", comparison.margin ? json(*comparison.margin) : json()},
          {"anytime", comparison.anytime},
          {"arms", arms},
          {"effects", effects},
          {"sentence", comparison.sentence}};
}

const char* test_name(const Comparison& comparison) {
  if (comparison.anytime) return comparison.test == "t" ? "anytime-valid t-test" : "betting test";
  return comparison.test == "t" ? "paired t-test" : "paired permutation test";
}

}  // namespace paribus::stats
