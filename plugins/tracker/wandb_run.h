// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "peers.h"

/// What the two forms of a Weights & Biases run share: on a server, and as a file.
namespace paribus::tracker {

template <class Params>
constexpr auto wandb_fields() {
  return std::tuple{
      field("entity", &Params::entity, "user or team; empty: WANDB_ENTITY, else the key's own"),
      field("project", &Params::project, "empty: WANDB_PROJECT, else the study's name"),
      field("group", &Params::group, "of the study's runs; empty: the study's name"),
      field("job_type", &Params::job_type, "of the runs"),
      field("tags", &Params::tags, "of the runs, with commas between them"),
      field("notes", &Params::notes, "on the runs; empty: the study's question")};
}

/// What a run is called, from what the study says of it.
struct WandbNames {
  std::string entity, project, group, job_type, notes;
  std::vector<std::string> tags;

  template <class Params>
  WandbNames(const Params& params, const TrackedStudy& study)
      : entity(params.entity.empty() ? variable("WANDB_ENTITY") : std::string(params.entity)),
        project(params.project.empty() ? variable("WANDB_PROJECT") : std::string(params.project)),
        group(params.group.empty() ? study.name : std::string(params.group)),
        job_type(params.job_type),
        notes(params.notes.empty() ? study.question : std::string(params.notes)) {
    static constexpr std::size_t kLongest = 128;
    if (project.empty()) project = study.name;
    for (char& c : project) {
      if (std::string_view("/\\#?%:").find(c) != std::string_view::npos) c = '-';
    }
    project = project.substr(0, kLongest);
    std::istringstream words{std::string(params.tags)};
    for (std::string tag; std::getline(words, tag, ',');) tags.push_back(tag);
  }
};

/// The same for a trial of one study's directory in every process.
inline std::string wandb_id(const TrackedTrial& trial, const std::string& key) {
  return trial.id.substr(0, 12) + "-" + key;
}

/// `{"optimizer": {...}, ...}`, with arm and seed. `t`: a run without it counts as never begun.
inline Json wandb_config(const TrackedTrial& trial) {
  const Json tables = parsed(trial.config);
  Json config = Json::object();
  for (const auto& [name, table] : tables.items()) {
    if (!table.is_null()) config[name] = table;
  }
  config["arm"] = trial.arm;
  config["seed"] = trial.seed;
  config["_wandb"] = {{"t", {{"5", "paribus"}}}, {"m", Json::array()}};
  return config;
}

/// The same as servers have it: `{"optimizer": {"value": {...}}, ...}`.
inline Json wandb_wrapped(const TrackedTrial& trial) {
  const Json config = wandb_config(trial);
  Json wrapped = Json::object();
  for (const auto& [name, value] : config.items()) wrapped[name] = {{"value", value}};
  return wrapped;
}

/// As W&B's files have numbers: JSON, and NaN, Infinity, -Infinity as they are.
inline std::string wandb_text(double value) {
  const Json json = number(value);
  return json.is_string() ? json.get<std::string>() : json.dump();
}

/// What was measured at one step.
struct WandbRow {
  std::int64_t step = 0;
  double time = 0;  // of its last point
  std::map<std::string, double> values{};
  std::map<std::string, std::string> shown{};  // JSON: histograms, pictures
};

/// A histogram among the values of a row.
inline std::string wandb_histogram(const Histogram& values) {
  const auto bins = static_cast<double>(values.counts.size());
  Json edges = Json::array();
  for (std::size_t i = 0; i < values.counts.size(); ++i)
    edges.push_back(values.low + (values.high - values.low) * static_cast<double>(i) / bins);
  edges.push_back(values.high);
  return compact({{"_type", "histogram"}, {"values", values.counts}, {"bins", edges}});
}

/// Where a run keeps a picture among its files.
inline std::string wandb_path(const TrackedPicture& picture) {
  std::string name(picture.name.substr(0, 128));
  for (char& c : name) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') ||
                          std::string_view("._-").find(c) != std::string_view::npos;
    if (!is_plain) c = '_';
  }
  return "media/images/" + name + "_" + std::to_string(picture.step) + "_" +
         picture.sha256.substr(0, 20) + ".png";
}

/// A picture among the values of a row.
inline std::string wandb_picture(const TrackedPicture& picture) {
  return compact({{"_type", "image-file"},
                  {"format", "png"},
                  {"path", wandb_path(picture)},
                  {"sha256", picture.sha256},
                  {"size", picture.png.size()},
                  {"width", picture.width},
                  {"height", picture.height}});
}

/// What the uplink sampled of machine and trial, rather than what the trial measured: W&B keeps it
/// apart, by time and not by step.
inline constexpr std::string_view kWandbSystem = "system/";

struct WandbPoints {
  std::vector<TrackedPoint> measured;
  std::vector<WandbRow> samples;  // names without `system/`

  explicit WandbPoints(std::span<const TrackedPoint> points) {
    for (const TrackedPoint& point : points) {
      if (!point.metric.starts_with(kWandbSystem)) {
        measured.push_back(point);
        continue;
      }
      if (samples.empty() || samples.back().step != point.step)
        samples.push_back({point.step, point.time});
      samples.back().values[std::string(point.metric.substr(kWandbSystem.size()))] = point.value;
    }
  }
};

/// What stays of a run between calls, as text in the memo. Points become rows, one for each step;
/// the last row stays open, as more points may come for its step.
struct WandbRows {
  std::int64_t lines = 0, messages = 0, samples = 0;  // of history, output.log, system events
  std::uint64_t bytes = 0, records = 0;               // of the file, where the run is one
  std::string stamp;                                  // in its name: when it began first
  std::optional<WandbRow> open;
  std::map<std::string, double> last;  // of each metric
  std::int64_t last_step = 0;
  double last_time = 0;

  WandbRows() = default;
  explicit WandbRows(const std::string& memo) {
    const Json json = parsed(memo);
    if (!json.is_object()) return;
    lines = json.at("lines"), messages = json.at("messages");
    samples = json.value("samples", std::int64_t{0});
    stamp = text_in(json, "stamp");
    bytes = json.at("bytes"), records = json.at("records");
    last = values_of(json.at("last"));
    last_step = json.at("step"), last_time = json.at("time");
    if (!json.contains("open")) return;
    open = {last_step, last_time, values_of(json.at("open"))};
    if (json.contains("shown")) open->shown = json.at("shown");
  }
  [[nodiscard]] std::string memo() const {
    Json json{{"lines", lines},     {"messages", messages},  {"bytes", bytes},
              {"records", records}, {"last", json_of(last)}, {"step", last_step},
              {"time", last_time}};
    if (open) json["open"] = json_of(open->values);
    if (open && !open->shown.empty()) json["shown"] = open->shown;
    if (samples > 0) json["samples"] = samples;
    if (!stamp.empty()) json["stamp"] = stamp;
    return compact(json);
  }

  /// The rows that are whole now, by rising step.
  std::vector<WandbRow> take(std::span<const TrackedPoint> points) {
    Rows rows;
    for (const TrackedPoint& point : points) {
      row_of(rows, point).values[std::string(point.metric)] = point.value;
      last[std::string(point.metric)] = point.value;
    }
    return split(std::move(rows));
  }
  std::vector<WandbRow> take(std::span<const TrackedHistogram> histograms) {
    Rows rows;
    for (const TrackedHistogram& one : histograms)
      row_of(rows, one).shown[std::string(one.name)] = wandb_histogram(one.values);
    return split(std::move(rows));
  }
  std::vector<WandbRow> take(std::span<const TrackedPicture> pictures) {
    Rows rows;
    for (const TrackedPicture& one : pictures)
      row_of(rows, one).shown[std::string(one.name)] = wandb_picture(one);
    return split(std::move(rows));
  }
  std::vector<WandbRow> take_open() {
    std::vector<WandbRow> whole;
    if (open) whole.push_back(*open);
    open.reset();
    return whole;
  }

 private:
  using Rows = std::map<std::int64_t, WandbRow>;

  template <class Item>
  WandbRow& row_of(Rows& rows, const Item& item) const {
    WandbRow& row = rows[item.step];
    row.step = item.step;
    row.time = std::max(row.time, item.time);
    return row;
  }

  /// With the row that was open, all but the last are whole.
  std::vector<WandbRow> split(Rows rows) {
    if (open) {
      WandbRow& row = row_of(rows, *open);
      row.values.insert(open->values.begin(), open->values.end());
      row.shown.merge(open->shown);
    }
    std::vector<WandbRow> whole;
    for (auto& [step, row] : rows) whole.push_back(std::move(row));
    if (whole.empty()) return whole;
    open = std::move(whole.back());
    whole.pop_back();
    last_step = open->step, last_time = open->time;
    return whole;
  }

  static Json json_of(const std::map<std::string, double>& values) {
    Json json = Json::object();
    for (const auto& [name, value] : values) json[name] = number(value);
    return json;
  }
  static std::map<std::string, double> values_of(const Json& json) {
    std::map<std::string, double> values;
    for (const auto& [name, value] : json.items())
      values[name] = value.is_number() ? value.get<double>() : std::stod(value.get<std::string>());
    return values;
  }
};

using WandbItems = std::vector<std::pair<std::string, std::string>>;  // names, JSON

inline WandbItems wandb_items(const std::map<std::string, double>& values, std::int64_t step,
                              double time, double started) {
  WandbItems items;
  for (const auto& [name, value] : values) items.emplace_back(name, wandb_text(value));
  items.emplace_back("_step", std::to_string(step));
  items.emplace_back("_timestamp", wandb_text(time));
  items.emplace_back("_runtime", wandb_text(std::max(0.0, time - started)));
  return items;
}
inline WandbItems wandb_items(const WandbRow& row, double started) {
  WandbItems items = wandb_items(row.values, row.step, row.time, started);
  items.insert(items.begin(), row.shown.begin(), row.shown.end());
  return items;
}

/// The last value of each metric; where the trial has ended, what it ended with, and the best.
inline WandbItems wandb_summary(const WandbRows& rows, double started, const TrackedEnd* end) {
  std::map<std::string, double> values = rows.last;
  if (end != nullptr) {
    for (const auto& [name, value] : end->final_values) values[name] = value;
    for (const auto& [name, value] : end->best_values) values["best." + name] = value;
  }
  WandbItems items = wandb_items(values, rows.last_step, rows.last_time, started);
  const double seconds = std::max(0.0, rows.last_time - started);
  items.emplace_back("_wandb", compact({{"runtime", std::llround(seconds)}}));
  return items;
}

/// A line of a run's system events.
inline WandbItems wandb_event(const WandbRow& sample, double started) {
  WandbItems items{{"_wandb", "true"},
                   {"_timestamp", wandb_text(sample.time)},
                   {"_runtime", wandb_text(std::max(0.0, sample.time - started))}};
  for (const auto& [name, value] : sample.values)
    items.emplace_back("system." + name, wandb_text(value));
  return items;
}

inline std::string wandb_object(const WandbItems& items) {
  std::string text;
  for (const auto& [name, value] : items) {
    text += text.empty() ? '{' : ',';
    text += compact(name) + ':' + value;
  }
  return text + '}';
}

/// As shells have it: stopped from outside is neither well nor failed.
inline int wandb_exit(const TrackedEnd& end) {
  return end.status == "done" ? 0 : end.status == "failed" ? 1 : 255;
}

}  // namespace paribus::tracker
