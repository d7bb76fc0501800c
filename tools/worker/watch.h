// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "driver/progress.h"
#include "limits.h"
#include "stack_reader.h"

namespace paribus::worker {

/// Looks after running trials: reads the stacks of those in distress before they die, ends those
/// that hang or are over their time, and says of each why it ended. In the zygote, on its one
/// thread; no call waits.
class Watch {
 public:
  /// `log`: where a trial's output goes; `stack_file`: where its stacks shall.
  void started(pid_t pid, const std::string& trial, driver::ProgressSlot& slot,
               const Limits& limits, std::filesystem::path log, std::filesystem::path stack_file);
  [[nodiscard]] bool has(pid_t pid) const { return charges_.contains(pid); }
  [[nodiscard]] std::vector<pid_t> pids() const;
  [[nodiscard]] std::vector<pid_t> pids_of(const std::string& trial) const;

  /// To be called when something happened and after each pause.
  void look();
  /// Milliseconds until it has to look again; -1: only when something happens.
  [[nodiscard]] int pause() const;
  /// What becomes readable when something happens.
  [[nodiscard]] std::vector<int> descriptors() const;

  /// The exit event of a trial that has been waited for, which is forgotten.
  nlohmann::json ended(pid_t pid, int status);

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase { works, is_read, sees_itself, is_let_go };

  struct Charge {
    std::string trial;
    driver::ProgressSlot& slot;
    Limits limits;
    std::filesystem::path log, stack_file;
    std::int64_t oom_kills;  // of the machine, when it began

    Phase phase = Phase::works;
    std::unique_ptr<StackReader> reader{};
    Clock::time_point looked, deadline{};
    double idle = 0, lived = 0;  // seconds, without those in which it was stopped
    std::uint64_t signs = 0;     // of life, when it last gave one
    bool asked_to_stop = false, at_memory_limit = false;
    std::string reason{}, message{}, where{}, stack{}, problem{};
  };

  void look_at(pid_t pid, Charge& charge);
  void count_time(pid_t pid, Charge& charge);
  void heed_limits(pid_t pid, Charge& charge);
  void read_stacks(pid_t pid, Charge& charge, bool own_view);
  void take_stacks(pid_t pid, Charge& charge);
  void let_go(pid_t pid, Charge& charge);
  static void tell_end(Charge& charge, int status);
  static void tell_crash(Charge& charge, int signal);

  std::map<pid_t, Charge> charges_;
};

}  // namespace paribus::worker
