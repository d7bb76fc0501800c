// SPDX-License-Identifier: Apache-2.0
#pragma once

// One side of a comparison: a program that says "ready" and then answers each line
// `VARIANT COUNT` with one line of JSON, so that bench.py can let two programs take turns.

#include <time.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace paribus::bench {

/// Runs a variant for `count` units of work and returns what it measured.
using Variant = std::function<nlohmann::json(std::int64_t count)>;

/// Serves until its input ends. Returns the exit status of the program.
int serve(const std::map<std::string, Variant>& variants);

/// Seconds since it was made.
class Clock {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// CPU seconds of the calling thread since it was made: hardly moved by who else is on the machine.
class CpuClock {
 public:
  [[nodiscard]] double seconds() const { return now() - start_; }

 private:
  static double now() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }
  double start_ = now();
};

/// An empty folder that is gone with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace paribus::bench
