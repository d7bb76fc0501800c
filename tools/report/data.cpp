// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "curves.h"
#include "importance.h"
#include "paribus/error.h"
#include "report.h"
#include "results/arms.h"
#include "results/table.h"
#include "seen.h"
#include "stats/comparison_json.h"
#include "stats/readings.h"
#include "study/settings.h"

namespace paribus::report {
namespace {

using nlohmann::json;
using results::StudyRecord;
using results::Trial;

constexpr std::size_t kLongestFile = 4u << 20;  // of study.toml, paribus.lock
constexpr std::size_t kTrialsOfAFailure = 20;   // named
constexpr std::size_t kLongestMessage = 20'000;
constexpr std::size_t kMostCompared = 500;  // points of a sweep beyond which none is tested

/// As the tables show it: JSON has neither NaN nor infinity.
json number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

json cell_json(const results::Cell& cell) {
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag;
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return *whole;
  if (const auto* real = std::get_if<double>(&cell)) return number(*real);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return nullptr;
}

json head_of(const StudyRecord& study) {
  return {{"name", study.name},
          {"question", study.question},
          {"metric", study.metric},
          {"unit", study.unit},
          {"goal", study.goal},
          {"at", study.at},
          {"alpha", study.alpha},
          {"margin", study.margin ? json(*study.margin) : json()},
          {"axes", study.axes},
          {"baseline", study.arms.empty() ? "" : study.arms.front()},
          {"until_decided", study.until_decided}};
}

json counts_of(const StudyRecord& study) {
  std::map<std::string, std::size_t> counts;
  for (const Trial& trial : study.trials) ++counts[std::string(results::to_text(trial.status))];
  return counts;
}

json arm_json(const results::ArmSummary& arm) {
  return {{"arm", arm.arm},
          {"trials", arm.trials},
          {"n", arm.n},
          {"pruned", arm.pruned},
          {"mean", number(arm.mean)},
          {"sd", arm.n > 1 ? number(arm.sd) : json()},
          {"least", number(arm.least)},
          {"greatest", number(arm.greatest)},
          {"epochs", number(arm.epochs)}};
}

/// `rank` is 1 for the best; null for one without a mean, or whose mean is of shorter trainings.
json arms_json(const StudyRecord& study, const std::vector<results::ArmSummary>& arms) {
  std::map<const results::ArmSummary*, std::size_t> ranks;
  for (const results::ArmSummary* arm : results::by_merit(study, arms)) {
    if (arm->pruned == 0) ranks.emplace(arm, ranks.size() + 1);
  }
  json all = json::array();
  for (const results::ArmSummary& arm : arms) {
    const auto rank = ranks.find(&arm);
    all.push_back(arm_json(arm));
    all.back()["rank"] = rank == ranks.end() ? json() : json(rank->second);
  }
  return all;
}

/// The comparison, with the difference of each seed that counts. `baselines`: of each arm the
/// one that it is held against.
json comparison_json(const StudyRecord& study, const stats::Comparison& comparison,
                     const std::vector<std::string>& baselines) {
  json result = stats::to_json(comparison);
  result["test_name"] = stats::test_name(comparison);
  const stats::ByArm trials = stats::by_arm(study);
  const auto value = [&](const std::string& arm, std::int64_t seed) {
    return stats::reading_at(seed, trials.at(arm), study.metric, study.at, arm).value;
  };
  for (std::size_t i = 0; i < comparison.arms.size(); ++i) {
    json differences = json::array();
    for (const std::int64_t seed : comparison.arms[i].seeds)
      differences.push_back(value(comparison.arms[i].arm, seed) - value(baselines[i], seed));
    result["arms"][i]["differences"] = std::move(differences);
  }
  return result;
}

json comparison_of(const StudyRecord& study) {
  if (study.arms.size() < 2 || (!study.axes.empty() && study.arms.size() > kMostCompared))
    return nullptr;
  const stats::Comparison comparison = stats::compare(study, study.metric);
  return comparison_json(study, comparison,
                         std::vector(comparison.arms.size(), comparison.baseline));
}

json sweep_of(const StudyRecord& study, const std::vector<results::ArmSummary>& arms) {
  if (study.axes.empty()) return nullptr;
  json importance = json::array();
  for (const Importance& one : importance_of(study)) {
    importance.push_back(
        {{"axis", one.axis}, {"share", one.share}, {"groups", one.groups}, {"n", one.n}});
  }
  const results::ArmSummary* best = results::best_point(study, arms);
  json values = json::object();
  for (const Trial& trial : study.trials) {
    if (best == nullptr || trial.arm != best->arm) continue;
    values = trial.values;
    break;
  }
  return {{"importance", std::move(importance)},
          {"best", best == nullptr ? json() : arm_json(*best)},
          {"values", std::move(values)}};
}

std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most) + fmt::format("\n... ({} bytes more)", text.size() - most);
}

using HasStack = std::function<bool(const Trial&)>;

bool is_stack_of(const StudyRecord& study, const Trial& trial) {
  return std::filesystem::exists(results::stack_path(study.dir, trial.id));
}

/// Trials that failed or stopped, those with the same words together.
json failures_of(const StudyRecord& study, const HasStack& has_stack) {
  std::map<std::pair<results::Status, std::string>, std::vector<const Trial*>> groups;
  std::set<std::string> seen;
  for (const Trial& trial : study.trials) {
    const bool went_wrong =
        trial.status == results::Status::failed || trial.status == results::Status::stopped;
    if (went_wrong && seen.insert(trial.id).second)
      groups[{trial.status, trial.message}].push_back(&trial);
  }
  json all = json::array();
  for (const auto& [what, trials] : groups) {
    json named = json::array();
    for (const Trial* trial : trials) {
      if (named.size() == kTrialsOfAFailure) break;
      named.push_back({{"id", trial->id},
                       {"arm", trial->arm},
                       {"seed", trial->seed},
                       {"stack", has_stack(*trial)}});
    }
    all.push_back({{"status", results::to_text(what.first)},
                   {"message", shortened(what.second, kLongestMessage)},
                   {"n", trials.size()},
                   {"trials", std::move(named)}});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const json& a, const json& b) { return a.at("n") > b.at("n"); });
  return all;
}

/// Of each arm, and of all: a trial that two arms share counts once among all.
json time_of(const StudyRecord& study) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<double>> by_arm;
  std::map<std::string, double> by_id;
  for (const Trial& trial : study.trials) {
    if (!trial.seconds || !std::isfinite(*trial.seconds)) continue;
    by_id[trial.id] = *trial.seconds;
    if (!by_arm.contains(trial.arm)) order.push_back(trial.arm);
    by_arm[trial.arm].push_back(*trial.seconds);
  }
  double total = 0;
  for (const auto& [id, seconds] : by_id) total += seconds;
  json arms = json::array();
  for (const std::string& arm : order) {
    std::vector<double>& seconds = by_arm[arm];
    std::sort(seconds.begin(), seconds.end());
    const std::size_t n = seconds.size();
    double sum = 0;
    for (const double one : seconds) sum += one;
    arms.push_back({{"arm", arm},
                    {"n", n},
                    {"total", sum},
                    {"median", (seconds[(n - 1) / 2] + seconds[n / 2]) / 2},
                    {"least", seconds.front()},
                    {"greatest", seconds.back()}});
  }
  json result = {{"total", total}, {"trials", by_id.size()}, {"arms", std::move(arms)}};
  if (study.busy) result["busy"] = *study.busy;
  const Price price = price_of(study.price);
  if (!price.currency.empty())
    result["price"] = {{"hour", price.amount}, {"currency", price.currency}};
  return result;
}

std::string text_of(const std::filesystem::path& path) {
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  if (none || size > kLongestFile) return "";
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

json provenance_of(const StudyRecord& study) {
  const std::string lock = text_of(study.dir / "paribus.lock");
  json parsed = json::parse(lock, nullptr, /*allow_exceptions=*/false);
  return {{"environment", study.environment},
          {"lock", parsed.is_discarded() ? json() : std::move(parsed)},
          {"lock_text", lock},
          {"study_toml", text_of(study.dir / "study.toml")}};
}

json results_with(const StudyRecord& study, json comparison, const HasStack& has_stack) {
  const auto arms = results::arm_summaries(study, study.metric);
  json data = {{"format", 1},
               {"study", head_of(study)},
               {"counts", counts_of(study)},
               {"arms", arms_json(study, arms)},
               {"comparison", std::move(comparison)},
               {"sweep", sweep_of(study, arms)},
               {"failures", failures_of(study, has_stack)},
               {"problems", study.problems},
               {"time", time_of(study)}};
  data["tables"] = {{"latex", table_of(data, "latex")}, {"markdown", table_of(data, "markdown")}};
  return data;
}

json changes_json(const std::vector<stats::Change>& changes) {
  json all = json::array();
  for (const stats::Change& one : changes)
    all.push_back({{"key", one.key}, {"before", one.before}, {"after", one.after}});
  return all;
}

/// What is another besides the results.
json across_json(const stats::Across& across, const std::vector<StudyRecord>& studies) {
  json list = json::array(), arms = json::array();
  for (std::size_t i = 0; i < studies.size(); ++i) {
    list.push_back({{"label", across.labels[i]},
                    {"dir", studies[i].dir.string()},
                    {"name", studies[i].name},
                    {"question", studies[i].question},
                    {"trials", studies[i].trials.size()},
                    {"changes", i == 0 ? json::array() : changes_json(across.settings[i - 1])}});
  }
  for (const stats::Pairing& one : across.pairings) {
    arms.push_back({{"arm", one.arm},
                    {"study", across.labels[one.study]},
                    {"changes", changes_json(one.changes)}});
  }
  return {{"studies", std::move(list)}, {"arms", std::move(arms)}, {"unmatched", across.unmatched}};
}

/// A trial within all, and where it is at home.
struct Home {
  const StudyRecord* study = nullptr;
  const Trial* trial = nullptr;
};

}  // namespace

json trials_of(const StudyRecord& study) {
  std::vector<results::Source> sources;
  const results::Table table = results::trial_table(study, &sources);
  json columns = json::array();
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const results::Column& column = table.columns[i];
    if (sources[i].shows == results::Shows::weights || sources[i].shows == results::Shows::message)
      continue;
    json values = json::array(), texts = json::array();
    const bool is_text = column.type == results::ColumnType::text;
    for (std::size_t row = 0; row < table.rows; ++row) {
      if (!is_text)
        values.push_back(cell_json(column.cell(row)));
      else if (column.codes[row] == results::Column::kUnknownCode)
        values.push_back(nullptr);
      else
        values.push_back(column.codes[row]);
    }
    for (std::uint32_t code = 0; is_text && code < column.texts(); ++code)
      texts.push_back(std::string(column.text(code)));
    json one = {{"name", column.name}, {"unit", column.unit}, {"values", std::move(values)}};
    if (is_text) one["texts"] = std::move(texts);
    if (sources[i].shows == results::Shows::axis) one["axis"] = true;
    columns.push_back(std::move(one));
  }
  return {{"rows", table.rows}, {"columns", std::move(columns)}};
}

json results_of(const StudyRecord& study) {
  json data = results_with(study, comparison_of(study),
                           [&](const Trial& trial) { return is_stack_of(study, trial); });
  data["provenance"] = provenance_of(study);
  return data;
}

json data_of(const StudyRecord& study) {
  json data = results_of(study);
  data["trials"] = trials_of(study);
  data["curves"] = curves_of(study);
  data["seen"] = seen_of(study);
  return data;
}

json data_of(const stats::Across& across, const std::vector<StudyRecord>& studies) {
  StudyRecord all = across.all;
  all.price = studies.front().price;
  std::map<std::string, Home> homes;
  auto trial = all.trials.begin();
  all.busy = 0;
  for (std::size_t i = 0; i < studies.size(); ++i) {
    all.busy =
        all.busy && studies[i].busy ? std::optional(*all.busy + *studies[i].busy) : std::nullopt;
    if (all.price != studies[i].price) all.price.clear();  // no one price is that of all
    for (const Trial& own : studies[i].trials) {
      trial->id = across.labels[i] + "/" + own.id;  // two studies may have made the same one
      homes[trial->id] = {&studies[i], &own};
      ++trial;
    }
    if (i > 0) all.name += ", " + across.labels[i];
    for (const std::string& problem : studies[i].problems)
      if (i > 0) all.problems.push_back(problem);
  }
  std::vector<std::string> baselines;
  for (const stats::Pairing& one : across.pairings)
    baselines.push_back(across.labels.front() + "/" + one.arm);
  all.name.replace(0, studies.front().name.size(), across.labels.front());
  all.metric = across.comparison.metric;
  json comparison = comparison_json(all, across.comparison, baselines);
  comparison["across"] = true;
  json data = results_with(all, std::move(comparison), [&](const Trial& one) {
    const Home& home = homes.at(one.id);
    return is_stack_of(*home.study, *home.trial);
  });
  data["trials"] = trials_of(all);
  data["curves"] = curves_of(all, [&](const Trial& one, std::size_t most) {
    const Home& home = homes.at(one.id);
    return read_curves(*home.study, *home.trial, most);
  });
  data["seen"] = seen_of(studies, across.labels);
  data["across"] = across_json(across, studies);
  return data;
}

std::filesystem::path file_of(const StudyRecord& study) { return study.dir / "report.html"; }

}  // namespace paribus::report
