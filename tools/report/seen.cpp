// SPDX-License-Identifier: Apache-2.0
#include "seen.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "curves.h"
#include "interpretation.h"
#include "machine/sampler.h"
#include "paribus/error.h"
#include "registry/base64.h"

namespace paribus::report {
namespace {

using nlohmann::json;
using results::StudyRecord;
using results::Trial;

constexpr std::size_t kMostPoints = 300;   // of a line of samples
constexpr std::size_t kMostTrials = 12;    // whose pictures are shown
constexpr std::size_t kMostOfTrial = 4;    // pictures
constexpr std::size_t kMostPictures = 24;  // in all
constexpr std::size_t kMostPictureBytes = std::size_t{3} << 20;
constexpr std::size_t kMostBytes = std::size_t{4} << 20;  // of a kind, of several studies
constexpr std::size_t kMostNames = 80, kMostSteps = 50, kRows = 48;  // of histograms

/// One of each arm, then further ones: those that have a journal.
std::vector<const Trial*> chosen_trials(const StudyRecord& study) {
  std::map<std::string, std::size_t> taken;
  std::vector<std::pair<std::size_t, const Trial*>> ranked;
  std::set<std::string> seen;
  for (const Trial& trial : study.trials) {
    if (trial.status == results::Status::planned || !seen.insert(trial.id).second) continue;
    ranked.emplace_back(taken[trial.arm]++, &trial);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const Trial*> trials;
  for (const auto& [rank, trial] : ranked) trials.push_back(trial);
  return trials;
}

// -- samples ----------------------------------------------------------------------------------

/// Time in seconds, and what was sampled then; null where the study stood still.
json line_of(const journal::Series& series, double gap) {
  json x = json::array(), y = json::array();
  const std::size_t stride = std::max<std::size_t>(1, series.steps.size() / kMostPoints);
  for (std::size_t i = 0; i < series.steps.size(); i += stride) {
    const auto end = std::min(series.steps.size(), i + stride);
    // Of each stretch the greatest: a peak is what one looks for.
    const auto at = std::max_element(series.values.begin() + static_cast<std::ptrdiff_t>(i),
                                     series.values.begin() + static_cast<std::ptrdiff_t>(end));
    const auto place = static_cast<std::size_t>(at - series.values.begin());
    if (i > 0 && static_cast<double>(series.steps[i] - series.steps[i - 1]) > gap) {
      x.push_back(series.steps[i - 1] + 1);
      y.push_back(nullptr);
    }
    x.push_back(series.steps[place]);
    y.push_back(short_number(series.values[place]));
  }
  return {{"x", std::move(x)}, {"y", std::move(y)}};
}

/// The area below a line of watts, over its times without gaps: joules.
double area(const journal::Series& series, double gap) {
  double sum = 0;
  for (std::size_t i = 1; i < series.steps.size(); ++i) {
    const auto seconds = static_cast<double>(series.steps[i] - series.steps[i - 1]);
    if (seconds > gap) continue;
    const double both = series.values[i] + series.values[i - 1];
    if (std::isfinite(both)) sum += both / 2 * seconds;
  }
  return sum;
}

struct Peak {
  double value = 0;
  std::string trial;
};

json resources_of(const StudyRecord& study) {
  const auto path = machine::log_path(study.dir);
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return nullptr;
  journal::Record record;
  try {
    record = journal::read(path);
  } catch (const Error&) {
    return nullptr;
  }
  double every = 15;
  if (const json* start = record.last("start"); start != nullptr) {
    const json given = start->value("every", json());
    if (given.is_number() && given.get<double>() > 0) every = given.get<double>();
  }
  const double gap = 3 * every + 5;
  std::map<std::string, const Trial*> trials;
  for (const Trial& trial : study.trials) trials.try_emplace(trial.id, &trial);
  json lines = json::array();
  std::map<std::string, std::size_t> shown;  // trials of each name
  std::optional<Peak> memory;
  double energy = 0;
  bool has_energy = false;
  for (const journal::Series& series : record.series) {
    if (series.steps.empty()) continue;
    const machine::SeriesName name = machine::series_name(series.name);
    const auto trial = trials.find(name.trial);
    if (!name.trial.empty() && trial == trials.end()) continue;
    if (!name.trial.empty() && name.name == "memory") {
      const double most = *std::max_element(series.values.begin(), series.values.end());
      if (!memory || most > memory->value) memory = Peak{most, name.trial};
    }
    if (name.trial.empty() && name.name == "energy")
      energy += series.values.back(), has_energy = true;
    if (name.trial.empty() && name.name.starts_with("gpu.") && name.name.ends_with(".power"))
      energy += area(series, gap), has_energy = true;
    if (name.trial.empty() && name.name == "trials") continue;
    if (!name.trial.empty() && ++shown[name.name] > kMostTrials) continue;
    json one = line_of(series, gap);
    one["name"] = name.trial.empty() ? name.name : "trial " + name.name;
    one["unit"] = series.unit;
    if (!name.trial.empty()) {
      one["trial"] = name.trial;
      one["arm"] = trial->second->arm;
      one["seed"] = trial->second->seed;
    }
    lines.push_back(std::move(one));
  }
  if (lines.empty()) return nullptr;
  json result = {{"every", every}, {"lines", std::move(lines)}};
  if (memory) result["memory"] = {{"value", memory->value}, {"trial", memory->trial}};
  if (has_energy) result["energy"] = energy;
  return result;
}

// -- pictures and histograms --------------------------------------------------------------------

/// Counts at a step, spread over the rows of a common scale; shares of all, as far as they are
/// seen.
json column_of(const Histogram& values, double low, double high) {
  std::vector<double> rows(kRows, 0);
  double all = 0;
  for (const std::uint64_t count : values.counts) all += static_cast<double>(count);
  const double height = (high - low) / static_cast<double>(kRows);
  const double bin = (values.high - values.low) / static_cast<double>(values.counts.size());
  for (std::size_t i = 0; i < values.counts.size() && all > 0; ++i) {
    const double from = values.low + bin * static_cast<double>(i), to = from + bin;
    const auto row_of = [&](double value) {
      const double place = height > 0 ? (value - low) / height : 0;
      return static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(kRows - 1)));
    };
    const std::size_t first = row_of(from), last = row_of(to);
    for (std::size_t row = first; row <= last; ++row) {
      const double bottom = low + height * static_cast<double>(row);
      const double part = first == last || !(bin > 0)
                              ? 1
                              : (std::min(to, bottom + height) - std::max(from, bottom)) / bin;
      rows[row] += std::max(0.0, part) * static_cast<double>(values.counts[i]) / all;
    }
  }
  json column = json::array();
  for (const double share : rows) column.push_back(std::round(share * 1e4) / 1e4);
  return column;
}

json histograms_of(const journal::Record& record) {
  std::map<std::string, std::vector<const journal::NamedHistogram*>> by_name;
  for (const journal::NamedHistogram& one : record.histograms) {
    const Histogram& values = one.values;
    const bool is_sound = std::isfinite(values.low) && std::isfinite(values.high) &&
                          values.low <= values.high && std::isfinite(values.high - values.low) &&
                          !values.counts.empty();
    if (is_sound) by_name[one.name].push_back(&one);
  }
  json all = json::array();
  for (const auto& [name, steps] : by_name) {
    if (all.size() == kMostNames) break;
    double low = steps.front()->values.low, high = steps.front()->values.high;
    std::uint64_t not_finite = 0;
    for (const auto* one : steps) {
      low = std::min(low, one->values.low), high = std::max(high, one->values.high);
      not_finite = std::max(not_finite, one->values.not_finite);
    }
    if (!std::isfinite(high - low)) continue;
    const std::size_t stride = (steps.size() + kMostSteps - 1) / kMostSteps;
    json x = json::array(), columns = json::array();
    for (std::size_t i = steps.size() - 1; i < steps.size();
         i -= stride) {  // the last one is there
      x.push_back(steps[i]->step);
      columns.push_back(column_of(steps[i]->values, low, high));
      if (i < stride) break;
    }
    std::reverse(x.begin(), x.end());
    std::reverse(columns.begin(), columns.end());
    all.push_back({{"name", name},
                   {"low", short_number(low)},
                   {"high", short_number(high)},
                   {"x", std::move(x)},
                   {"columns", std::move(columns)},
                   {"not_finite", not_finite}});
  }
  return all;
}

struct Shown {
  json pictures = json::array(), histograms = json::array(), interpretations = json::array();
  PictureBudget budget;
  std::size_t bytes = 0;
  bool is_full = false;
};

/// Of each name the last, but of those that are shown elsewhere.
void add_pictures(const std::filesystem::path& path, const Trial& trial,
                  const journal::Record& record, const std::set<std::string>& elsewhere,
                  Shown& to) {
  std::map<std::string, const journal::NamedPicture*> last;
  for (const journal::NamedPicture& one : record.pictures) last[one.name] = &one;
  std::size_t own = 0;
  for (const auto& [name, one] : last) {
    to.is_full = to.pictures.size() >= kMostPictures;
    if (to.is_full || own == kMostOfTrial) return;
    if (to.bytes + one->size > kMostPictureBytes || elsewhere.contains(name)) continue;
    const std::string png = journal::picture_in(path, *one);
    if (!png.starts_with("\x89PNG")) continue;
    to.bytes += png.size(), ++own;
    to.pictures.push_back({{"trial", trial.id},
                           {"arm", trial.arm},
                           {"seed", trial.seed},
                           {"name", name},
                           {"step", one->step},
                           {"png", registry::base64(png)}});
  }
}

void add_trial(const StudyRecord& study, const Trial& trial, Shown& to) {
  const auto path = results::journal_path(study.dir, trial.id);
  try {
    const journal::Record record = journal::read_without_events(path);
    std::set<std::string> elsewhere;
    json interpretation = interpretation_of(path, record, to.budget, elsewhere);
    if (!interpretation.is_null()) {
      interpretation.update({{"trial", trial.id}, {"arm", trial.arm}, {"seed", trial.seed}});
      to.interpretations.push_back(std::move(interpretation));
    }
    if (!to.is_full) add_pictures(path, trial, record, elsewhere, to);
    if (record.histograms.empty()) return;
    to.histograms.push_back({{"trial", trial.id},
                             {"arm", trial.arm},
                             {"seed", trial.seed},
                             {"names", histograms_of(record)}});
  } catch (const Error&) {  // the study's problems tell it
  }
}

/// Of one study among several: its lines, the largest trial of all, the energy of all.
void add_resources(json& own, const std::string& label, json& to) {
  if (!own.is_object()) return;
  for (json& line : own["lines"]) {
    line["machine"] = label;
    for (const char* key : {"trial", "arm"})
      if (line.contains(key)) line[key] = label + "/" + line[key].get<std::string>();
  }
  if (own.contains("memory"))
    own["memory"]["trial"] = label + "/" + own["memory"]["trial"].get<std::string>();
  json& all = to["resources"];
  if (all.is_null()) {
    all = std::move(own);
    return;
  }
  for (json& line : own["lines"]) all["lines"].push_back(std::move(line));
  const auto memory = [](const json& one) {
    return one.contains("memory") ? one["memory"]["value"].get<double>() : 0;
  };
  if (memory(own) > memory(all)) all["memory"] = own["memory"];
  if (own.contains("energy"))
    all["energy"] = all.value("energy", 0.0) + own["energy"].get<double>();
}

}  // namespace

json seen_of(const StudyRecord& study) {
  Shown shown;
  std::size_t read = 0;
  for (const Trial* trial : chosen_trials(study)) {
    std::error_code none;
    if (!std::filesystem::exists(results::journal_path(study.dir, trial->id), none)) continue;
    if (read++ == kMostTrials) break;
    add_trial(study, *trial, shown);
  }
  return {{"resources", resources_of(study)},
          {"interpretations", std::move(shown.interpretations)},
          {"pictures", std::move(shown.pictures)},
          {"histograms", std::move(shown.histograms)}};
}

json seen_of(const std::vector<StudyRecord>& studies, const std::vector<std::string>& labels) {
  std::vector<json> each;
  for (const StudyRecord& study : studies) each.push_back(seen_of(study));
  json all = {{"interpretations", json::array()},
              {"pictures", json::array()},
              {"histograms", json::array()},
              {"resources", nullptr}};
  const auto take = [&](const char* kind, std::size_t i, std::size_t place, std::size_t& bytes) {
    if (place >= each[i][kind].size()) return false;
    json& one = each[i][kind][place];
    one["arm"] = labels[i] + "/" + one["arm"].get<std::string>();
    one["trial"] = labels[i] + "/" + one["trial"].get<std::string>();
    bytes += one.dump(-1, ' ', false, json::error_handler_t::replace).size();
    if (bytes <= kMostBytes) all[kind].push_back(std::move(one));
    return true;
  };
  for (const auto& [kind, most] :
       {std::pair{"interpretations", kMostTrials}, std::pair{"pictures", kMostPictures},
        std::pair{"histograms", kMostTrials}}) {
    bool is_more = true;
    std::size_t bytes = 0;
    for (std::size_t place = 0; is_more; ++place) {  // in turn, so that each study is seen
      is_more = false;
      for (std::size_t i = 0; i < each.size() && all[kind].size() < most; ++i)
        is_more = take(kind, i, place, bytes) || is_more;
    }
  }
  for (std::size_t i = 0; i < each.size(); ++i) add_resources(each[i]["resources"], labels[i], all);
  return all;
}

}  // namespace paribus::report
