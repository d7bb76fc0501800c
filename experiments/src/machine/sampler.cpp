// SPDX-License-Identifier: Apache-2.0
#include "machine/sampler.h"

#include <algorithm>
#include <cmath>

namespace paribus::machine {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t kLongestId = 128;
constexpr double kMostSeconds = 1e12;  // of a clock

bool is_id(const std::string& text) {
  return !text.empty() && text.size() <= kLongestId &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

}  // namespace

fs::path log_path(const fs::path& dir) { return dir / "journal" / "system.log"; }

SeriesName series_name(std::string_view series) {
  if (!series.starts_with(kOfTrials)) return {"", std::string(series)};
  const std::string_view rest = series.substr(kOfTrials.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return {"", std::string(series)};
  return {std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
}

Sampler::Sampler(const fs::path& dir, std::int64_t every, double now, const fs::path& root)
    : log_(log_path(dir)), root_(root), machine_(dir, root) {
  take_up(log_path(dir), now, every);
}

/// What a run before left: when it all began, and how far sums were.
void Sampler::take_up(const fs::path& file, double now, std::int64_t every) {
  const journal::Record record = journal::read(file);
  const json* start = record.last("start");
  const json time = start == nullptr ? json() : start->value("time", json());
  const bool goes_on = time.is_number() && std::abs(time.get<double>()) < kMostSeconds;
  started_ = goes_on ? time.get<double>() : now;
  for (const journal::Series& series : record.series) {
    if (!goes_on || series.steps.empty()) continue;
    if (static_cast<double>(series.steps.back()) < kMostSeconds)
      last_step_ = std::max(last_step_, series.steps.back());
    if (series.unit == "B" || series.unit == "J")
      sums_[series.name] = {series.values.back(), series.values.back()};
  }
  json event{{"event", "start"}, {"time", started_}, {"every", every}, {"gpus", gpus_.facts()}};
  if (goes_on) event["event"] = "resume", event["step"] = last_step_, event["time"] = now;
  log_.event(event);
}

void Sampler::begin(const std::string& trial, pid_t pid, double now) {
  if (!is_id(trial) || pid <= 0) return;
  for (const char* name : {"read", "written"}) {
    const auto sum = sums_.find(std::string(kOfTrials) + trial + "/" + name);
    if (sum != sums_.end()) sum->second.before = sum->second.last;
  }
  trials_[trial] = {.pid = pid, .time = now};
}

void Sampler::end(const std::string& trial) { trials_.erase(trial); }

void Sampler::put(const std::string& front, const Reading& reading) {
  const std::string series = front + reading.name;
  double value = reading.value;
  if (reading.counts) {
    Sum& sum = sums_[series];
    value = sum.last = std::max(sum.last, sum.before + reading.value);
  }
  values_.emplace_back(log_.series(series, reading.unit), value);
}

void Sampler::sample(double now) {
  const double passed = std::clamp(now - started_, 0.0, kMostSeconds);
  const std::int64_t step = std::max(last_step_ + 1, static_cast<std::int64_t>(passed));
  for (const Reading& reading : machine_.read()) put("", reading);
  for (const Reading& reading : gpus_.read()) put("", reading);
  if (!trials_.empty()) {
    const std::map<pid_t, Process> all = processes(root_);
    for (auto& [id, trial] : trials_) sample_trial(id, trial, all, now);
  }
  last_step_ = step;
  log_.points(step, std::exchange(values_, {}));  // whole, for whoever reads it meanwhile
}

void Sampler::sample_trial(const std::string& id, Trial& trial, const std::map<pid_t, Process>& all,
                           double now) {
  const auto found = all.find(trial.pid);
  if (found == all.end() || found->second.state == 'Z' || found->second.state == 'X') return;
  if (trial.started == 0) trial.started = found->second.started;
  if (trial.started != found->second.started) return;  // another one of that number
  const Use use = use_of(trial.pid, all, root_);
  const std::string front = std::string(kOfTrials) + id + "/";
  if (now > trial.time)
    put(front, {"cpu", "%", 100 * std::max(0.0, use.seconds - trial.seconds) / (now - trial.time)});
  trial.time = now, trial.seconds = use.seconds;
  put(front, {"memory", "B", use.resident});
  if (use.read) put(front, {"read", "B", *use.read, true});
  if (use.written) put(front, {"written", "B", *use.written, true});
}

}  // namespace paribus::machine
