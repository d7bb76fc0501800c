// SPDX-License-Identifier: Apache-2.0
#include "importance.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace paribus::report {
namespace {

using nlohmann::json;
using results::Trial;

constexpr std::size_t kFewestTrials = 10, kMostGroups = 8;

struct Counted {
  const Trial* trial;
  double value;
};

std::vector<Counted> counted_trials(const results::StudyRecord& study) {
  std::vector<Counted> counted;
  for (const Trial& trial : study.trials) {
    const auto& measured = study.at == "best" ? trial.best : trial.last;
    const auto value = measured.find(study.metric);
    if (value == measured.end() || !std::isfinite(value->second)) continue;
    if (trial.status == results::Status::done || trial.status == results::Status::pruned)
      counted.push_back({&trial, value->second});
  }
  return counted;
}

/// From 1, equal values sharing the mean of theirs; `ties` gets the sum of t^3 - t.
std::vector<double> ranks_of(const std::vector<double>& values, double& ties) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  ties = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const auto count = static_cast<double>(end - begin);
    ties += count * count * count - count;
    for (std::size_t i = begin; i < end; ++i)
      ranks[order[i]] = (static_cast<double>(begin + end) + 1) / 2;
    begin = end;
  }
  return ranks;
}

/// Of each trial the number of its group.
std::vector<std::size_t> groups_of(const std::vector<Counted>& trials, const std::string& axis,
                                   std::size_t& count) {
  std::map<std::string, std::size_t> levels;
  std::vector<double> numbers;
  std::vector<std::string> texts;
  for (const Counted& one : trials) {
    const auto found = one.trial->values.find(axis);
    const json value = found == one.trial->values.end() ? json() : found->second;
    if (value.is_number()) numbers.push_back(value.get<double>());
    texts.push_back(value.dump(-1, ' ', false, json::error_handler_t::replace));
    levels.try_emplace(texts.back(), levels.size());
  }
  std::vector<std::size_t> groups;
  if (levels.size() > kMostGroups && numbers.size() == trials.size()) {
    double ties = 0;
    const auto n = static_cast<double>(numbers.size());
    for (const double rank : ranks_of(numbers, ties))
      groups.push_back(static_cast<std::size_t>((rank - 0.5) / n * kMostGroups));
    std::map<std::size_t, std::size_t> used;
    for (std::size_t& group : groups) group = used.try_emplace(group, used.size()).first->second;
    count = used.size();
    return groups;
  }
  for (const std::string& text : texts) groups.push_back(levels.at(text));
  count = levels.size();
  return groups;
}

}  // namespace

std::vector<Importance> importance_of(const results::StudyRecord& study) {
  const std::vector<Counted> trials = counted_trials(study);
  if (trials.size() < kFewestTrials) return {};
  std::vector<double> values;
  for (const Counted& one : trials) values.push_back(one.value);
  double ties = 0;
  const std::vector<double> ranks = ranks_of(values, ties);
  const auto n = static_cast<double>(trials.size());
  const double untied = 1 - ties / (n * n * n - n);
  std::vector<Importance> all;
  for (const std::string& axis : study.axes) {
    std::size_t k = 0;
    const std::vector<std::size_t> groups = groups_of(trials, axis, k);
    if (k < 2 || k >= trials.size()) continue;
    std::vector<double> sums(k), counts(k);
    for (std::size_t i = 0; i < groups.size(); ++i) {
      sums[groups[i]] += ranks[i];
      ++counts[groups[i]];
    }
    double h = 0;
    for (std::size_t group = 0; group < k; ++group) {
      const double off = sums[group] / counts[group] - (n + 1) / 2;
      h += counts[group] * off * off;
    }
    h *= 12 / (n * (n + 1));
    const auto groups_n = static_cast<double>(k);
    const double share = untied > 0 ? (h / untied - groups_n + 1) / (n - groups_n) : 0;
    all.push_back({axis, std::clamp(share, 0.0, 1.0), k, trials.size()});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Importance& a, const Importance& b) { return a.share > b.share; });
  return all;
}

}  // namespace paribus::report
