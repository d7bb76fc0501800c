// SPDX-License-Identifier: Apache-2.0
#include "stats/across.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "paribus/error.h"
#include "results/arms.h"
#include "study/config.h"
#include "uplink/flat.h"

namespace paribus::stats {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using results::StudyRecord;
using results::Trial;
using Texts = std::map<std::string, std::string>;

/// The last folders of each path, as many as tell them apart.
std::vector<std::string> labels_of(const std::vector<StudyRecord>& studies) {
  constexpr std::size_t kMost = 32;
  std::vector<std::vector<std::string>> paths;
  for (const StudyRecord& study : studies) {
    std::vector<std::string> names;
    for (const fs::path& name : fs::absolute(study.dir).lexically_normal()) {
      if (!name.empty() && name != "/") names.push_back(name.string());
    }
    paths.push_back(std::move(names));
  }
  std::vector<std::string> labels;
  for (std::size_t depth = 1; depth <= kMost; ++depth) {
    labels.clear();
    for (const auto& names : paths) {
      const auto count = static_cast<std::ptrdiff_t>(std::min(depth, names.size()));
      labels.push_back(fmt::format("{}", fmt::join(names.end() - count, names.end(), "/")));
    }
    if (std::set<std::string>(labels.begin(), labels.end()).size() == labels.size()) return labels;
  }
  throw Error(fmt::format("the same directory is given twice: {}", studies.front().dir.string()));
}

void require_same(const StudyRecord& first, const StudyRecord& other, const std::string& metric) {
  const auto differ = [&](const char* what, const std::string& a, const std::string& b) {
    throw Error(fmt::format("{} and {} can't be compared in {}: {} is '{}' there and '{}' here",
                            first.dir.string(), other.dir.string(), metric, what, a, b));
  };
  if (first.at != other.at) differ("the value that counts", first.at, other.at);
  const bool both = metric == first.metric && metric == other.metric;
  if (both && first.goal != other.goal) differ("the goal", first.goal, other.goal);
  const auto here = other.units.find(metric), there = first.units.find(metric);
  if (here == other.units.end() || there == first.units.end()) return;
  if (here->second != there->second) differ("the unit", there->second, here->second);
}

std::vector<Change> changes_between(const Texts& before, const Texts& after) {
  std::vector<Change> changes;
  Texts all = after;
  all.insert(before.begin(), before.end());
  for (const auto& [key, ignored] : all) {
    const auto was = before.find(key), is = after.find(key);
    const Change change{key, was == before.end() ? "" : was->second,
                        is == after.end() ? "" : is->second};
    if (change.before != change.after) changes.push_back(change);
  }
  return changes;
}

Texts configuration(const StudyRecord& study, const std::string& arm) {
  Texts texts;
  const auto trial = std::find_if(study.trials.begin(), study.trials.end(),
                                  [&](const Trial& one) { return one.arm == arm; });
  if (trial == study.trials.end()) return texts;
  for (const auto& [key, value] : uplink::flat(*trial).parameters) texts[key] = toml_value(value);
  texts.erase("seed");
  return texts;
}

void add_plugins(const json& plugins, Texts& texts) {
  for (const json& plugin : plugins.is_array() ? plugins : json::array()) {
    if (!plugin.is_object() || !plugin.contains("parts")) continue;
    for (const json& part : plugin.at("parts")) {
      const json sum = plugin.value("sha256", json(""));
      if (part.is_string() && sum.is_string())
        texts[part.get<std::string>()] = sum.get<std::string>().substr(0, 12);
    }
  }
}

/// What the same study may have been run with: LibTorch, plugins by their sums, the tree, the CPU.
Texts settings_of(const StudyRecord& study) {
  Texts texts;
  json environment = study.environment;
  if (!environment.is_object()) return texts;
  add_plugins(environment.value("plugins", json()), texts);
  environment.erase("plugins");
  const json flat = environment.flatten();
  for (const auto& [pointer, text] : flat.items()) {
    std::string name = pointer.substr(1);
    std::replace(name.begin(), name.end(), '/', '.');
    texts[name] = text.is_string() ? text.get<std::string>() : text.dump();
  }
  texts.erase("git.diff");  // git.dirty tells of it
  return texts;
}

}  // namespace

Across across(const std::vector<StudyRecord>& studies, const std::string& metric) {
  const StudyRecord& first = studies.front();
  const std::string of = metric.empty() ? first.metric : metric;
  Across result;
  result.labels = labels_of(studies);
  const auto named = [&](std::size_t study, const std::string& arm) {
    return result.labels[study] + (arm.empty() ? "" : "/") + arm;
  };

  StudyRecord& all = result.all;
  all = first;  // what counts and how it is tested are the first one's to say
  all.trials.clear(), all.arms.clear(), all.axes.clear();
  std::map<std::string, std::set<std::size_t>> where;
  for (std::size_t i = 0; i < studies.size(); ++i) {
    require_same(first, studies[i], of);
    all.until_decided = all.until_decided || studies[i].until_decided;
    all.units.insert(studies[i].units.begin(), studies[i].units.end());
    for (const std::string& arm : results::arms_of(studies[i])) {
      where[arm].insert(i);
      all.arms.push_back(named(i, arm));
    }
    for (Trial trial : studies[i].trials) {
      trial.arm = named(i, trial.arm);
      all.trials.push_back(std::move(trial));
    }
    if (i > 0)
      result.settings.push_back(changes_between(settings_of(first), settings_of(studies[i])));
  }

  std::vector<std::pair<std::string, std::string>> pairs;
  for (std::size_t i = 1; i < studies.size(); ++i) {
    for (const std::string& arm : results::arms_of(studies[i])) {
      if (!where.at(arm).contains(0)) continue;
      pairs.emplace_back(named(0, arm), named(i, arm));
      result.pairings.push_back(
          {arm, i, changes_between(configuration(first, arm), configuration(studies[i], arm))});
    }
  }
  for (const auto& [arm, numbers] : where) {
    for (const std::size_t number : numbers) {
      if (numbers.size() == 1 || !numbers.contains(0))
        result.unmatched.push_back(named(number, arm));
    }
  }
  if (pairs.empty()) {
    throw Error(
        fmt::format("{} and the others have no arm of one name, so there is nothing to compare",
                    first.dir.string()));
  }
  result.comparison = compare_pairs(all, of, result.labels.front(), pairs);
  return result;
}

}  // namespace paribus::stats
