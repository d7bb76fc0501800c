// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>

#include "driver/progress.h"

namespace paribus::worker {

/// What a trial may take; 0: no limit.
struct Limits {
  double time = 0;          // seconds that its process may live
  double hang = 0;          // seconds without a sign of work
  double grace = 0;         // seconds to end at its own next step, once its time is up
  std::int64_t memory = 0;  // bytes of its own
};

/// `limits` of a `start` request.
Limits limits_from(const nlohmann::json& request);

/// In the trial: it may map so many bytes of memory of its own beyond what it has now. What it asks
/// for beyond them is refused, on which LibTorch and C++ throw; `distress` remembers that.
void limit_memory(std::int64_t bytes, driver::Distress& distress);

/// Whether an error says that memory was refused, on the CPU or a GPU.
bool is_out_of_memory(const std::exception& problem);

/// Bytes of memory of its own that a process has mapped; 0 if that can't be read.
std::int64_t mapped_by(int process);

/// Whether a process has mapped about all that it may.
bool is_at_memory_limit(int process);

/// "2 GiB".
std::string in_words(std::int64_t bytes);

/// A sentence for a trial that met its limit (0: the machine's).
std::string out_of_memory(std::int64_t limit);

}  // namespace paribus::worker
