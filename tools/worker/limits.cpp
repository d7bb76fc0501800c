// SPDX-License-Identifier: Apache-2.0
#include "limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <new>

namespace paribus::worker {
namespace {

driver::Distress* refused = nullptr;

/// What `new` calls when it got nothing.
void note_and_throw() {
  if (refused != nullptr) refused->memory = true;
  throw std::bad_alloc();
}

}  // namespace

Limits limits_from(const nlohmann::json& request) {
  Limits limits;
  const auto given = request.find("limits");
  if (given == request.end() || !given->is_object()) return limits;
  limits.time = given->value("time", limits.time);
  limits.hang = given->value("hang", limits.hang);
  limits.grace = std::clamp(limits.time / 10, 5.0, 60.0);
  limits.memory = given->value("memory", limits.memory);
  return limits;
}

void limit_memory(std::int64_t bytes, driver::Distress& distress) {
  refused = &distress;
  std::set_new_handler(note_and_throw);
  if (bytes <= 0) return;
  const auto most = static_cast<rlim_t>(mapped_by(::getpid()) + bytes);
  rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < most) return;  // it is stricter already
  limit = {.rlim_cur = most, .rlim_max = most};
  ::setrlimit(RLIMIT_DATA, &limit);
}

bool is_out_of_memory(const std::exception& problem) {
  if (dynamic_cast<const std::bad_alloc*>(&problem) != nullptr) return true;
  for (const char* said : {"DefaultCPUAllocator: ", "out of memory"}) {
    if (std::strstr(problem.what(), said) != nullptr) return true;
  }
  return false;
}

std::int64_t mapped_by(int process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(in, line);) {
    long long kilobytes = 0;
    if (std::sscanf(line.c_str(), "VmData: %lld kB", &kilobytes) == 1) return kilobytes << 10;
  }
  return 0;
}

bool is_at_memory_limit(int process) {
  rlimit limit{};
  if (::prlimit(process, RLIMIT_DATA, nullptr, &limit) != 0) return false;
  return limit.rlim_cur != RLIM_INFINITY &&
         static_cast<double>(mapped_by(process)) > 0.98 * static_cast<double>(limit.rlim_cur);
}

std::string in_words(std::int64_t bytes) {
  constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g %s", value, kUnits[unit]);
  return text.data();
}

std::string out_of_memory(std::int64_t limit) {
  if (limit <= 0) return "out of memory: the machine has no more for it";
  return "out of memory: it asked for more than its limit of " + in_words(limit) +
         "; raise study.memory_limit, or make the batch or the model smaller";
}

}  // namespace paribus::worker
