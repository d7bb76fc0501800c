// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <string.h>

#include <cmath>
#include <limits>

#include "journal/journal.h"
#include "paribus/error.h"
#include "results/cache.h"
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

void read_end(const json& end, Outcome& trial) {
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
bool is_stale(const Exit& exit, const journal::Record& record) {
  for (auto event = record.events.rbegin(); event != record.events.rend(); ++event) {
    const std::string name = text(*event, "event");
    if (name != "start" && name != "resume") continue;
    const json &then = exit.time, &now = at(*event, "time");
    return ((then.is_number() && now.is_number()) || (then.is_string() && now.is_string())) &&
           then < now;
  }
  return false;
}

void take_exit(const Exit& exit, Trial& trial) {
  if (exit.signal == 0 && (exit.code == 0 || exit.code == kStopped || exit.code == kPaused)) return;
  trial.status = Status::failed;
  trial.message = exit.message;
  if (!trial.message.empty()) return;
  trial.message =
      exit.signal != 0
          ? fmt::format("killed by signal {} ({})", exit.signal, ::strsignal(exit.signal))
          : fmt::format("ended with exit status {} and no reason", exit.code);
}

void report_damage(const journal::Record& record, bool is_running, Trial& trial) {
  const bool is_mid_write = is_running && record.tail == journal::Tail::torn;
  if (record.tail == journal::Tail::whole || is_mid_write) return;
  trial.problem =
      fmt::format("journal/{}.log: {} at byte {}; the {} bytes from there on are not counted",
                  trial.id, record.problem, record.valid_bytes, record.torn_bytes);
}

/// A trial that stopped may not know why: its time was up, say.
void take_message(const Exit& exit, Trial& trial) {
  if (trial.status == Status::stopped && trial.message.empty()) trial.message = exit.message;
}

/// The end that the driver's log holds leaves nothing to be looked for.
void take_outcome(const Outcome& outcome, Trial& trial) {
  static_cast<Outcome&>(trial) = outcome;
  trial.learned = Trial::kFromLog;
  const auto per_epoch = trial.variant ? trial.variant->steps_per_epoch : std::nullopt;
  if (trial.steps && per_epoch && *per_epoch > 0)
    trial.epochs = static_cast<double>(*trial.steps) / *per_epoch;
}

}  // namespace

Exit read_exit(const json& event) {
  Exit exit;
  exit.code = static_cast<int>(number(event, "code").value_or(0));
  exit.signal = static_cast<int>(number(event, "signal").value_or(0));
  exit.message = text(event, "message");
  exit.time = at(event, "time");
  if (at(event, "end").is_object()) read_end(at(event, "end"), exit.outcome.emplace());
  return exit;
}

void read_trial(const std::filesystem::path& dir, const Exit* exit, Trial& trial,
                std::map<std::string, std::string>& units) {
  // Any other end may be of the past: what the log said of a later one can be lost with its tail.
  if (exit && exit->outcome && exit->outcome->status == Status::done)
    return take_outcome(*exit->outcome, trial);
  const auto path = journal_path(dir, trial.id);
  trial.learned = journal_mark(path);
  if (trial.learned == Trial::kNoJournal) {
    if (exit) take_exit(*exit, trial);
    return;
  }
  // Asked before reading: a trial that ends in between then reads as done, not as stopped.
  const bool is_running = journal::has_writer(path);
  if (is_running) trial.learned = Trial::kBeingWritten;
  const journal::Record record = journal::read(path);
  report_damage(record, is_running, trial);
  for (const auto& series : record.series) units.try_emplace(series.name, series.unit);
  read_last_points(record, trial);
  if (const json* end = standing_end(record)) {
    read_end(*end, trial);
    if (exit && !is_stale(*exit, record)) take_message(*exit, trial);
  } else if (is_running) {
    trial.status = Status::running;
  } else {
    if (!record.events.empty()) trial.status = Status::stopped;
    if (exit && !is_stale(*exit, record)) take_exit(*exit, trial);
  }
  trial.epochs = epochs(record, trial);
}

void read_trial_or_say_why(const std::filesystem::path& dir, const Exit* exit, Trial& trial,
                           std::map<std::string, std::string>& units) {
  try {
    read_trial(dir, exit, trial, units);
  } catch (const Error& error) {
    trial.status = Status::failed;
    trial.message = trial.problem = error.what();
  }
}

std::int64_t journal_mark(const std::filesystem::path& path) {
  const FileMark mark = mark_of(path);
  if (mark.inode == 0) return Trial::kNoJournal;
  if (mark.changed == 0) return Trial::kBeingWritten;
  std::uint64_t mixed = mark.inode;
  for (const std::uint64_t word : {mark.size, static_cast<std::uint64_t>(mark.changed)})
    mixed = (mixed ^ word) * 0x9E37'79B9'7F4A'7C15 + (mixed >> 29);
  return static_cast<std::int64_t>(mixed >> 2 | 4);
}

}  // namespace paribus::results
