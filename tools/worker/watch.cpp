// SPDX-License-Identifier: Apache-2.0
#include "watch.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "crash.h"
#include "exit_words.h"
#include "python_place.h"

namespace paribus::worker {
namespace {

using driver::Distress;
using nlohmann::json;

constexpr int kOftenest = 50, kSeldomest = 1000;  // ms between looks at limits
constexpr double kPatience = 3;                   // s for a trial to see itself

/// Stopped by SIGSTOP or a debugger: it can't work, so it doesn't hang.
bool is_stopped(pid_t pid) {
  std::string line;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line);
  const std::size_t after_name = line.rfind(')');
  if (after_name == std::string::npos || line.size() < after_name + 3) return false;
  const char state = line[after_name + 2];
  return state == 'T' || state == 't';
}

std::string seconds_in_words(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g s", seconds);
  return text;
}

}  // namespace

void Watch::started(pid_t pid, const std::string& trial, driver::ProgressSlot& slot,
                    const Limits& limits, std::filesystem::path log,
                    std::filesystem::path stack_file) {
  std::error_code ignored;
  std::filesystem::remove(stack_file, ignored);  // an earlier process's
  charges_.emplace(pid, Charge{.trial = trial,
                               .slot = slot,
                               .limits = limits,
                               .log = std::move(log),
                               .stack_file = std::move(stack_file),
                               .oom_kills = oom_kills(),
                               .looked = Clock::now()});
}

std::vector<pid_t> Watch::pids() const {
  std::vector<pid_t> all;
  for (const auto& [pid, charge] : charges_) all.push_back(pid);
  return all;
}

std::vector<pid_t> Watch::pids_of(const std::string& trial) const {
  std::vector<pid_t> pids;
  for (const auto& [pid, charge] : charges_) {
    if (charge.trial == trial) pids.push_back(pid);
  }
  return pids;
}

void Watch::look() {
  for (auto& [pid, charge] : charges_) look_at(pid, charge);
}

void Watch::look_at(pid_t pid, Charge& charge) {
  const std::uint32_t state = charge.slot.distress.state;
  if (charge.phase == Phase::works) {
    count_time(pid, charge);
    if (state == Distress::told) {
      charge.reason = "crash";
      read_stacks(pid, charge, false);
    } else {
      heed_limits(pid, charge);
    }
  }
  if (charge.phase == Phase::sees_itself) {
    if (state == Distress::told) {
      answer(charge.slot.distress, Distress::own_view_wanted);
    } else if (state == Distress::own_view_given) {
      read_stacks(pid, charge, true);
    } else if (Clock::now() > charge.deadline) {
      let_go(pid, charge);
    }
  }
  if (charge.phase == Phase::is_read && charge.reader) take_stacks(pid, charge);
}

/// Time in which the trial was stopped, and in which this process was kept from looking, is no time
/// in which it hung.
void Watch::count_time(pid_t pid, Charge& charge) {
  const Clock::time_point now = Clock::now();
  const double passed = std::chrono::duration<double>(now - charge.looked).count();
  if (charge.limits.hang <= 0 && charge.limits.time <= 0) return;
  if (passed < kOftenest / 1000.0 / 2) return;  // woken by something else
  charge.looked = now;
  const bool stopped = is_stopped(pid);
  if (!stopped) charge.lived += passed;
  const std::uint64_t signs = charge.slot.step.load() + charge.slot.beat.load();
  if (stopped || signs != charge.signs) {
    charge.signs = signs;
    charge.idle = 0;
  } else {
    charge.idle += std::min(passed, 2.0 * kSeldomest / 1000);
  }
}

void Watch::heed_limits(pid_t pid, Charge& charge) {
  const Limits& limits = charge.limits;
  if (limits.hang > 0 && charge.idle >= limits.hang) {
    charge.reason = "hang";
    charge.message = "it hung: for " + seconds_in_words(limits.hang) +
                     " it made no step and read no data after step " +
                     std::to_string(charge.slot.step.load()) +
                     " (study.hang_limit says how long it may)";
    ask_for_python_stacks(pid);
    return read_stacks(pid, charge, false);
  }
  if (limits.time <= 0 || charge.lived < limits.time) return;
  const std::string limit = "its time limit of " + seconds_in_words(limits.time);
  if (!charge.asked_to_stop) {
    charge.asked_to_stop = true;
    charge.reason = "time";
    charge.message = "it reached " + limit + " and stopped; resume gives it as much again";
    ::kill(pid, SIGTERM);
  } else if (charge.lived >= limits.time + limits.grace) {
    charge.message = "it reached " + limit + " and was killed: it took no step in the " +
                     seconds_in_words(limits.grace) + " that it had to stop";
    read_stacks(pid, charge, false);
  }
}

void Watch::read_stacks(pid_t pid, Charge& charge, bool own_view) {
  charge.reader = std::make_unique<StackReader>(pid, charge.slot.distress, own_view);
  charge.phase = Phase::is_read;
}

void Watch::take_stacks(pid_t pid, Charge& charge) {
  const std::optional<Stacks> stacks = charge.reader->result();
  if (!stacks) return;
  charge.reader.reset();
  if (!stacks->text.empty()) {
    charge.where = stacks->where;
    charge.stack = stacks->text;
    if (!charge.problem.empty())
      charge.stack += "(other threads can't be read: " + charge.problem + ")\n";
    return let_go(pid, charge);
  }
  const bool tried_both = !charge.problem.empty();
  charge.problem = stacks->problem.empty() ? "it has no frames" : stacks->problem;
  if (tried_both) return let_go(pid, charge);
  charge.phase = Phase::sees_itself;
  charge.deadline = Clock::now() + std::chrono::milliseconds(static_cast<int>(kPatience * 1000));
  if (charge.slot.distress.state == Distress::none)  // its handler looks at where the signal hits
    ::syscall(SYS_tgkill, pid, pid, SIGABRT);
}

void Watch::let_go(pid_t pid, Charge& charge) {
  charge.phase = Phase::is_let_go;
  if (charge.stack.empty() && !charge.problem.empty())
    charge.stack = "(its stack can't be read: " + charge.problem + ")\n";
  charge.at_memory_limit = is_at_memory_limit(pid);
  if (charge.reason != "crash") {
    ::kill(pid, SIGKILL);
  } else {
    answer(charge.slot.distress, Distress::heard);
  }
}

int Watch::pause() const {
  int least = -1;
  const auto within = [&least](int milliseconds) {
    least = least < 0 ? milliseconds : std::min(least, milliseconds);
  };
  for (const auto& [pid, charge] : charges_) {
    if (charge.phase == Phase::is_read || charge.phase == Phase::sees_itself) within(kOftenest);
    for (const double limit : {charge.limits.hang, charge.limits.time}) {
      if (limit > 0)
        within(static_cast<int>(std::clamp<double>(limit * 100, kOftenest, kSeldomest)));
    }
  }
  return least;
}

std::vector<int> Watch::descriptors() const {
  std::vector<int> all;
  for (const auto& [pid, charge] : charges_) {
    if (charge.reader && charge.reader->descriptor() >= 0)
      all.push_back(charge.reader->descriptor());
  }
  return all;
}

}  // namespace paribus::worker
