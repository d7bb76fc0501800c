// SPDX-License-Identifier: Apache-2.0
#include "curves.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "paribus/error.h"
#include "results/arms.h"

namespace paribus::report {
namespace {

using nlohmann::json;
using results::StudyRecord;
using results::Trial;

constexpr std::size_t kMostPoints = 240'000;                    // in the whole page
constexpr std::size_t kFewestBuckets = 24, kMostBuckets = 400;  // of a line
constexpr std::size_t kMostLines = 600;                         // trials of a study of arms
constexpr std::size_t kMostOfSweep = 120, kBestOfSweep = 20;

struct Line {
  const Trial* trial;
  Thin points;
};

struct Metric {
  std::string unit;
  std::map<std::string, std::vector<Line>> arms;
};

/// The best points, and of the others those at even distances in order of merit.
std::vector<std::string> points_of(const StudyRecord& study) {
  const std::vector<results::ArmSummary> arms = results::arm_summaries(study, study.metric);
  const std::vector<const results::ArmSummary*> points = results::by_merit(study, arms);
  std::vector<std::string> chosen;
  const std::size_t others = points.size() - std::min(points.size(), kBestOfSweep);
  const std::size_t every = others / (kMostOfSweep - kBestOfSweep) + 1;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i < kBestOfSweep || (i - kBestOfSweep) % every == 0) chosen.push_back(points[i]->arm);
  }
  return chosen;
}

std::vector<const Trial*> chosen_trials(const StudyRecord& study,
                                        const std::vector<std::string>& arms) {
  const std::set<std::string> wanted(arms.begin(), arms.end());
  const std::size_t most =
      std::max<std::size_t>(1, kMostLines / std::max<std::size_t>(1, arms.size()));
  std::map<std::string, std::size_t> taken;
  std::vector<const Trial*> trials;
  for (const Trial& trial : study.trials) {
    if (trial.status == results::Status::planned || !wanted.contains(trial.arm)) continue;
    if (++taken[trial.arm] <= most) trials.push_back(&trial);
  }
  return trials;
}

json line_json(const Line& line) {
  json x = json::array(), y = json::array();
  const auto point = [&](std::int64_t step, double value) {
    x.push_back(step);
    y.push_back(short_number(value));
  };
  for (const Bucket& bucket : line.points.buckets) {
    const bool falls = bucket.greatest_step < bucket.least_step;
    point(falls ? bucket.greatest_step : bucket.least_step, falls ? bucket.greatest : bucket.least);
    if (bucket.greatest_step == bucket.least_step) continue;
    point(falls ? bucket.least_step : bucket.greatest_step, falls ? bucket.least : bucket.greatest);
  }
  json result = {{"seed", line.trial->seed}, {"trial", line.trial->id}, {"x", x}, {"y", y}};
  if (line.points.points > x.size() + line.points.not_finite) result["points"] = line.points.points;
  if (line.points.not_finite > 0) {
    result["not_finite"] = line.points.not_finite;
    result["first_not_finite"] = line.points.first_not_finite;
  }
  return result;
}

/// Of what stands in one place of several seeds.
struct Place {
  std::int64_t step = 0;
  std::size_t seeds = 0;
  double sum = 0, least = 0, greatest = 0;
};

json band_json(std::vector<Line>& lines) {
  int shift = 0;
  for (const Line& line : lines) shift = std::max(shift, line.points.shift);
  std::map<std::int64_t, Place> places;
  for (Line& line : lines) {
    coarsen(line.points, shift);
    for (const Bucket& bucket : line.points.buckets) {
      const auto [found, is_new] = places.try_emplace(bucket.number);
      Place& place = found->second;
      place.step = std::max(place.step, bucket.last_step);
      place.least = is_new ? bucket.least : std::min(place.least, bucket.least);
      place.greatest = is_new ? bucket.greatest : std::max(place.greatest, bucket.greatest);
      place.sum += bucket.mean();
      ++place.seeds;
    }
  }
  json x = json::array(), mean = json::array(), least = json::array(), greatest = json::array(),
       n = json::array();
  for (const auto& [number, place] : places) {
    x.push_back(place.step);
    mean.push_back(short_number(static_cast<float>(place.sum / static_cast<double>(place.seeds))));
    least.push_back(short_number(place.least));
    greatest.push_back(short_number(place.greatest));
    n.push_back(place.seeds);
  }
  return {{"x", x}, {"mean", mean}, {"least", least}, {"greatest", greatest}, {"n", n}};
}

json arm_json(const std::string& arm, std::vector<Line>& lines) {
  json seeds = json::array();
  for (const Line& line : lines) seeds.push_back(line_json(line));
  json result = {{"arm", arm}, {"seeds", seeds}};
  if (lines.size() > 1) result["band"] = band_json(lines);
  const auto& variant = lines.front().trial->variant;
  if (variant && variant->steps_per_epoch && *variant->steps_per_epoch > 0)
    result["steps_per_epoch"] = *variant->steps_per_epoch;
  return result;
}

/// The study's metric, then what is measured on held-out data, then in training, then the rest.
int rank_of(const std::string& metric, const std::string& first) {
  if (metric == first) return 0;
  if (metric.starts_with("valid.")) return 1;
  return metric.starts_with("train.") ? 2 : 3;
}

}  // namespace

json short_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  const auto narrow = static_cast<float>(value);
  if (static_cast<double>(narrow) != value) return value;
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, narrow).ptr;
  std::from_chars(text, end, value);
  return value;
}

std::vector<Curve> read_curves(const StudyRecord& study, const Trial& trial, std::size_t most) {
  const auto path = results::journal_path(study.dir, trial.id);
  if (!std::filesystem::exists(path)) return {};
  std::vector<Curve> curves;
  try {
    for (const journal::Series& series : journal::read_without_events(path).series) {
      if (!series.steps.empty()) curves.push_back({series.name, series.unit, thin(series, most)});
    }
  } catch (const Error&) {
    return {};
  }
  return curves;
}

json curves_of(const StudyRecord& study) {
  return curves_of(
      study, [&](const Trial& trial, std::size_t most) { return read_curves(study, trial, most); });
}

json curves_of(const StudyRecord& study, const ReadCurves& read) {
  const std::vector<std::string> arms =
      study.axes.empty() ? results::arms_of(study) : points_of(study);
  const std::vector<const Trial*> trials = chosen_trials(study, arms);
  const std::size_t lines =
      std::max<std::size_t>(1, trials.size() * results::metrics(study).size());
  const std::size_t most = std::clamp(kMostPoints / lines, kFewestBuckets, kMostBuckets);
  std::map<std::string, Metric> metrics;
  for (const Trial* trial : trials) {
    for (Curve& curve : read(*trial, most)) {
      Metric& metric = metrics[curve.name];
      metric.unit = curve.unit;
      metric.arms[trial->arm].push_back({trial, std::move(curve.points)});
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, metric] : metrics) names.push_back(name);
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return rank_of(a, study.metric) < rank_of(b, study.metric);
  });
  json shown = json::array();
  for (const std::string& name : names) {
    json of_arms = json::array();
    for (const std::string& arm : arms) {
      const auto found = metrics[name].arms.find(arm);
      if (found != metrics[name].arms.end()) of_arms.push_back(arm_json(arm, found->second));
    }
    shown.push_back({{"name", name}, {"unit", metrics[name].unit}, {"arms", std::move(of_arms)}});
  }
  return {{"metrics", std::move(shown)}, {"trials", trials.size()}, {"of", study.trials.size()}};
}

}  // namespace paribus::report
