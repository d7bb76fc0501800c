// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace paribus::driver {

/// One running trial's progress, in memory shared between the trial (sole writer) and the driver
/// (reader): it costs the training loop a few stores. Each field is read on its own; a display
/// needs no more.
struct ProgressSlot {
  std::atomic<std::uint64_t> step{0};        // batches done since the start of training
  std::atomic<std::uint64_t> steps{0};       // of the whole training; 0: not known yet
  std::atomic<std::uint64_t> resumed_at{0};  // step at which this process began
  std::atomic<std::uint64_t> epoch{0};
  std::atomic<std::uint64_t> epochs{0};
  std::atomic<double> loss{0};    // latest training loss
  std::atomic<double> metric{0};  // latest value of the study's metric
  std::atomic<bool> has_metric{false};
};
static_assert(std::atomic<double>::is_always_lock_free);

inline constexpr int kSocketFd = 3;    // of the worker: messages
inline constexpr int kProgressFd = 4;  // of the worker: a memfd of kProgressSlots slots
inline constexpr int kProgressSlots = 1024;

}  // namespace paribus::driver
