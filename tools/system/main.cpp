// SPDX-License-Identifier: Apache-2.0

// paribus-system: samples what the machine and a study's trials use into journal/system.log. On its
// stdin comes a line that says what to do, then one whenever a trial's process begins or ends; when
// stdin closes it takes a last sample and ends. What goes wrong is one line on stderr and exit
// status 1; the study doesn't mind.

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "disk/budget.h"
#include "driver/progress.h"
#include "machine/sampler.h"
#include "paribus/error.h"

namespace {

using namespace paribus;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kLongestLine = 8192;
constexpr const char* kAccount = "/proc/self/fd/3";
constexpr double kSettled = 1;  // s after which a trial's first sample is worth taking
constexpr double kOften = 5;    // such samples come at most so many times as often as others

/// Unix time that never goes back and knows no leaps: where other clocks are set, samples stay in
/// their order.
class Clock {
 public:
  [[nodiscard]] double now() const {
    return unix_ + Seconds(std::chrono::steady_clock::now() - from_).count();
  }

 private:
  std::chrono::steady_clock::time_point from_ = std::chrono::steady_clock::now();
  double unix_ = Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
};

/// Lines of stdin, as they come.
class Lines {
 public:
  /// Waits for at most `seconds`; false once stdin is closed.
  bool wait(double seconds) {
    pollfd in{STDIN_FILENO, POLLIN, 0};
    const int milliseconds = static_cast<int>(std::clamp(seconds * 1000 + 1, 0.0, 1e9));
    if (::poll(&in, 1, milliseconds) <= 0) return true;
    char bytes[4096];
    const ssize_t n = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) return true;
    if (n <= 0 || text_.size() > kLongestLine) return false;
    text_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }
  bool next(std::string& line) {
    const std::size_t end = text_.find('\n');
    if (end == std::string::npos) return false;
    line = text_.substr(0, end);
    text_.erase(0, end + 1);
    return true;
  }

 private:
  std::string text_;
};

struct Request {
  std::string dir;
  std::int64_t every = 0, disk = 0;
  int claim = 0;
};

Request read_request(Lines& lines) {
  std::string line;
  while (!lines.next(line)) {
    if (!lines.wait(60)) throw Error("nobody says what to sample");
  }
  const auto from = nlohmann::json::parse(line);
  return {from.at("dir"), from.at("every"), from.at("disk"), from.at("claim")};
}

/// When samples are due: every so often, and once soon after a trial has begun.
class Due {
 public:
  explicit Due(double every) : every_(every) {}

  [[nodiscard]] double at() const { return std::min(regular_, extra_); }
  void taken(double now) {
    last_ = now;
    regular_ = now + every_;
    extra_ = regular_;
  }
  void trial_began(double now) {
    extra_ = std::min(extra_, std::max(now + kSettled, last_ + every_ / kOften));
  }

 private:
  double every_, last_ = 0, regular_ = 0, extra_ = 0;
};

void heed(const std::string& line, machine::Sampler& sampler, Due& due, double now) {
  std::istringstream words(line);
  std::string what, trial;
  pid_t pid = 0;
  words >> what >> trial >> pid;
  if (what == "begin") {
    sampler.begin(trial, pid, now);
    due.trial_began(now);
  }
  if (what == "end") sampler.end(trial);
}

void serve() {
  Lines lines;
  const Request request = read_request(lines);
  const Clock clock;
  machine::Sampler sampler(request.dir, request.every, clock.now());
  std::unique_ptr<disk::Budget> budget;
  if (request.disk > 0) {
    budget = std::make_unique<disk::Budget>(request.dir, request.disk, kAccount,
                                            driver::kAccountOffset, request.claim);
    sampler.ask_before_writing([&](std::size_t bytes) {
      budget->reserve(static_cast<std::int64_t>(bytes), "journal/system.log");
    });
  }
  Due due(static_cast<double>(request.every));
  const auto sample = [&] {
    const double now = clock.now();
    sampler.sample(now);
    due.taken(now);
  };
  sample();
  while (lines.wait(due.at() - clock.now())) {
    for (std::string line; lines.next(line);) heed(line, sampler, due, clock.now());
    if (clock.now() >= due.at()) sample();
  }
  sample();
  sampler.sync();
}

}  // namespace

int main() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    serve();
    return 0;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}\n", problem.what());
    return 1;
  }
}
