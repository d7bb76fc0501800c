// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <string.h>

#include <cmath>
#include <limits>

#include "journal/journal.h"
#include "paribus/error.h"
#include "results/plan.h"

namespace paribus::results {
namespace {

using nlohmann::json;

constexpr int kStopped = 75, kPaused = 76;  // exit codes of a trial's process

const json& at(const json& event, const char* key) {
  static const json nothing;
  const auto found = event.find(key);
  return found == event.end() ? nothing : *found;
}

std::string text(const json& event, const char* key) {
  const json& value = at(event, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<double> number(const json& event, const char* key) {
  const json& value = at(event, key);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

/// JSON has no NaN, so a metric that was not finite is null.
void read_metrics(const json& from, std::map<std::string, double>& metrics) {
  if (!from.is_object()) return;
  for (const auto& [name, value] : from.items()) {
    if (value.is_number()) metrics[name] = value.get<double>();
    if (value.is_null()) metrics[name] = std::numeric_limits<double>::quiet_NaN();
  }
}

bool is_metric(std::string_view series) {
  return series.starts_with("train.") || series.starts_with("valid.") ||
         series.starts_with("test.");
}

void read_last_points(const journal::Record& record, Trial& trial) {
  for (const auto& series : record.series) {
    if (!series.values.empty() && is_metric(series.name))
      trial.last[series.name] = series.values.back();
    if (series.steps.empty()) continue;
    trial.steps = std::max(trial.steps.value_or(0), series.steps.back());
  }
}

std::optional<double> epochs(const journal::Record& record, const Trial& trial) {
  const json* start = record.last("start");
  if (!start || !trial.steps) return std::nullopt;
  const auto per_epoch = number(at(*start, "facts"), "steps_per_epoch");
  if (!per_epoch || !(*per_epoch > 0)) return std::nullopt;
  return static_cast<double>(*trial.steps) / *per_epoch;
}

void read_end(const json& end, Trial& trial) {
  const std::string status = text(end, "status");
  trial.status = status == "done"      ? Status::done
                 : status == "stopped" ? Status::stopped
                 : status == "paused"  ? Status::pruned
                                       : Status::failed;
  trial.message = text(end, "message");
  if (trial.status == Status::failed && status != "failed") {
    trial.message =
        fmt::format("its end says status '{}', expected done, failed, stopped or paused", status);
  }
  if (at(end, "final").is_object()) trial.last.clear();
  read_metrics(at(end, "final"), trial.last);
  read_metrics(at(end, "best"), trial.best);
  trial.seconds = number(end, "seconds");
  if (at(end, "steps").is_number_integer()) trial.steps = at(end, "steps").get<std::int64_t>();
  trial.weights_sha256 = text(end, "weights_sha256");
}

/// The end, if the trial was not taken up again after it.
const json* standing_end(const journal::Record& record) {
  for (auto event = record.events.rbegin(); event != record.events.rend(); ++event) {
    const std::string name = text(*event, "event");
    if (name == "end") return &*event;
    if (name == "start" || name == "resume") return nullptr;
  }
  return nullptr;
}

/// An exit that the driver saw before the trial was taken up for the last time says nothing about
/// now.
bool is_stale(const json& exit, const journal::Record& record) {
  for (auto event = record.events.rbegin(); event != record.events.rend(); ++event) {
    const std::string name = text(*event, "event");
    if (name != "start" && name != "resume") continue;
    const json &then = at(exit, "time"), &now = at(*event, "time");
    return ((then.is_number() && now.is_number()) || (then.is_string() && now.is_string())) &&
           then < now;
  }
  return false;
}

void read_exit(const json& exit, Trial& trial) {
  const auto signal = static_cast<int>(number(exit, "signal").value_or(0));
  const auto code = static_cast<int>(number(exit, "code").value_or(0));
  if (signal == 0 && (code == 0 || code == kStopped || code == kPaused)) return;
  trial.status = Status::failed;
  trial.message = text(exit, "message");
  if (!trial.message.empty()) return;
  trial.message = signal != 0 ? fmt::format("killed by signal {} ({})", signal, ::strsignal(signal))
                              : fmt::format("ended with exit status {} and no reason", code);
}

void report_damage(const journal::Record& record, bool is_running, const Trial& trial,
                   StudyRecord& study) {
  const bool is_mid_write = is_running && record.tail == journal::Tail::torn;
  if (record.tail == journal::Tail::whole || is_mid_write) return;
  study.problems.push_back(
      fmt::format("journal/{}.log: {} at byte {}; the {} bytes from there on are not counted",
                  trial.id, record.problem, record.valid_bytes, record.torn_bytes));
}

}  // namespace

void read_trial(const std::filesystem::path& dir, const json* exit, Trial& trial,
                StudyRecord& study) {
  const auto path = journal_path(dir, trial.id);
  if (!std::filesystem::exists(path)) {
    if (exit) read_exit(*exit, trial);
    return;
  }
  // Asked before reading: a trial that ends in between then reads as done, not as stopped.
  const bool is_running = journal::has_writer(path);
  const journal::Record record = journal::read(path);
  report_damage(record, is_running, trial, study);
  for (const auto& series : record.series) study.units.try_emplace(series.name, series.unit);
  read_last_points(record, trial);
  if (const json* end = standing_end(record)) {
    read_end(*end, trial);
  } else if (is_running) {
    trial.status = Status::running;
  } else {
    if (!record.events.empty()) trial.status = Status::stopped;
    if (exit && !is_stale(*exit, record)) read_exit(*exit, trial);
  }
  trial.epochs = epochs(record, trial);
}

}  // namespace paribus::results
