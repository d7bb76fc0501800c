// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "driver/family.h"
#include "driver/files.h"
#include "driver/worker.h"

namespace paribus::driver {

/// A trial as it is handed to the worker: checked, with its id.
struct Trial {
  std::string id, arm;
  std::uint64_t seed = 0;
  nlohmann::json values = nlohmann::json::object();  // of the axes: address -> value
  std::shared_ptr<const TrialFamily> family;
  std::vector<Value> numbers;  // in which it differs from others of its family
  std::int64_t epochs = 0, steps = 0, threads = 1;
  bool resumes = false;  // its journal holds a beginning

  /// Resolved: nothing in it is "auto" any more. Made anew by each call: a study may have 100,000.
  [[nodiscard]] nlohmann::json spec() const { return family->spec(numbers, seed); }
  /// What inspection found.
  [[nodiscard]] const nlohmann::json& facts() const { return family->facts; }
  [[nodiscard]] const FilePaths& files() const { return family->files; }
  /// "lookahead, seed 3", or of a sweep "momentum 0.9, seed 3".
  [[nodiscard]] std::string label() const;
};

/// How a trial's process ended.
struct Outcome {
  int code = 0;          // 0 done, 1 failed, 75 stopped and resumable, 76 paused by its search
  int signal = 0;        // that ended it, or 0
  std::string reason{};  // "", "crash", "hang", "time", "memory", "killed"
  std::string message{}, stack{};

  static constexpr int kStopped = 75, kPaused = 76;
  [[nodiscard]] bool done() const { return signal == 0 && code == 0; }
  [[nodiscard]] bool stopped() const { return signal == 0 && code == kStopped; }
  [[nodiscard]] bool paused() const { return signal == 0 && code == kPaused; }
  [[nodiscard]] bool failed() const { return !done() && !stopped() && !paused(); }
  /// What need not happen again: a process that crashed, hung or was killed.
  [[nodiscard]] bool accident() const {
    return failed() && (signal != 0 || reason == "crash" || reason == "hang") &&
           reason != "memory" && reason != "time";
  }
};

/// `spec` with "auto" in [train] replaced by what inspection found.
nlohmann::json resolved(nlohmann::json spec, const nlohmann::json& facts);

/// Equal for trials that one inspection can speak for: those that differ only in seed or in numbers
/// of optimizer and schedules, which change no shape and whose bounds are already checked.
std::string inspection_key(const nlohmann::json& spec);

}  // namespace paribus::driver
