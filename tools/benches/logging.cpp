// SPDX-License-Identifier: Apache-2.0
// The call by which a trial records a scalar, JournalRecorder::point: ten series a step, as fast as
// it takes them, synced at the end. COUNT is points. logged.py has the same variants for what is
// written from Python.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>
#include <vector>

#include "../worker/recorder.h"
#include "side.h"

namespace paribus::bench {
namespace {

constexpr std::int64_t kSeries = 10;

double value_at(std::int64_t step, std::int64_t i) {
  return static_cast<double>(step * kSeries + i) * 0.1;
}

/// Bytes, of a line of /proc/self/status.
std::int64_t memory(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kib = 0;
    if (word == key && status >> kib) return kib * 1024;
  }
  throw std::runtime_error("/proc/self/status has no " + key);
}

/// By how much memory has grown, at its peak, since this was made.
class Growth {
 public:
  Growth() {
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
    before_ = memory("VmRSS:");
  }
  [[nodiscard]] std::int64_t bytes() const { return memory("VmHWM:") - before_; }

 private:
  std::int64_t before_ = 0;
};

/// A trial's recorder, by the interface that the trainer has of it.
class Log {
 public:
  explicit Log(const std::filesystem::path& file) : recorder_(file, "valid.loss", slot_, {}) {
    for (std::size_t i = 0; i < names_.size(); ++i) names_[i] = "metric_" + std::to_string(i);
  }

  void point(std::int64_t step, std::int64_t i) {
    recorder().point(names_[static_cast<std::size_t>(i)], step, value_at(step, i));
  }
  void steps(std::int64_t count, std::chrono::milliseconds pause = {}) {
    for (std::int64_t step = 1; step <= count; ++step) {
      if (pause.count() > 0) std::this_thread::sleep_for(pause);
      for (std::int64_t i = 0; i < kSeries; ++i) point(step, i);
    }
  }
  void sync() { recorder().flush(); }

 private:
  Recorder& recorder() { return recorder_; }

  driver::ProgressSlot slot_;
  worker::JournalRecorder recorder_;
  std::array<std::string, kSeries> names_;
};

/// Series as long as the number of steps, each value in its place.
bool is_complete(const journal::Record& record, std::int64_t steps) {
  if (record.series.size() != kSeries) return false;
  for (std::int64_t i = 0; i < kSeries; ++i) {
    const auto& values = record.series[static_cast<std::size_t>(i)].values;
    if (values.size() != static_cast<std::size_t>(steps)) return false;
    for (std::int64_t step = 1; step <= steps; ++step)
      if (values[static_cast<std::size_t>(step - 1)] != value_at(step, i)) return false;
  }
  return true;
}

nlohmann::json run(std::int64_t points) {
  const Folder folder;
  const auto file = folder.path() / "trial.log";
  const std::int64_t steps = points / kSeries;
  const Growth growth;
  double seconds = 0;
  std::int64_t grown = 0;
  {
    Log log(file);
    const Clock clock;
    log.steps(steps);
    log.sync();
    seconds = clock.seconds();
    grown = growth.bytes();
  }
  return {{"seconds", seconds / static_cast<double>(steps * kSeries)},
          {"memory", grown},
          {"bytes", std::filesystem::file_size(file)},
          {"equal", is_complete(journal::read(file), steps)}};
}

double p99(std::vector<double>& seconds) {
  const auto place = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() * 99 / 100);
  std::nth_element(seconds.begin(), place, seconds.end());
  return *place;
}

/// The clock's own cost is in each call, and ten times in each step: upper bounds.
nlohmann::json calls(std::int64_t points) {
  const Folder folder;
  Log log(folder.path() / "trial.log");
  std::vector<double> of_steps(static_cast<std::size_t>(points / kSeries)), of_calls;
  of_calls.reserve(of_steps.size() * kSeries);
  std::int64_t step = 0;
  for (double& whole : of_steps) {
    ++step;
    for (std::int64_t i = 0; i < kSeries; ++i) {
      const Clock clock;
      log.point(step, i);
      of_calls.push_back(clock.seconds());
      whole += of_calls.back();
    }
  }
  return {{"call", p99(of_calls)},
          {"step", p99(of_steps)},
          {"worst", *std::max_element(of_steps.begin(), of_steps.end())}};
}

/// What a SIGKILL takes with it, right after the last of the points.
nlohmann::json lost(std::int64_t points, std::chrono::milliseconds pause) {
  const Folder folder;
  const auto file = folder.path() / "trial.log";
  const pid_t trial = ::fork();
  if (trial == 0) {
    Log log(file);
    log.steps(points / kSeries, pause);
    ::raise(SIGKILL);
  }
  int status = 0;
  if (::waitpid(trial, &status, 0) != trial || !WIFSIGNALED(status))
    throw std::runtime_error("the trial was not killed");
  return {{"lost", points - static_cast<std::int64_t>(journal::read(file).points_written)}};
}

nlohmann::json killed(std::int64_t points) { return lost(points, {}); }
nlohmann::json paced(std::int64_t points) { return lost(points, std::chrono::milliseconds(10)); }

}  // namespace
}  // namespace paribus::bench

int main() {
  using namespace paribus::bench;
  return serve({{"run", run}, {"calls", calls}, {"killed", killed}, {"paced", paced}});
}
