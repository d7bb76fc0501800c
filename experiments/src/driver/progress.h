// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace paribus::driver {

/// What a dying trial lets the zygote know, written by a signal handler: nothing in it needs a lock
/// or memory. `state` is the futex on which the trial waits, for a bounded time, until its stack is
/// read.
struct Distress {
  enum State : std::uint32_t { none, told, own_view_wanted, own_view_given, heard };
  static constexpr int kFrames = 64;

  std::atomic<std::uint32_t> state{none};
  std::atomic<std::int32_t> signal{0};  // that it got; 0: it called exit()
  std::atomic<std::int32_t> thread{0};
  std::atomic<std::uint64_t> address{0};  // that it touched; the status of exit()
  std::atomic<bool> overflow{false};      // of its stack
  std::atomic<bool> memory{false};        // memory was refused to it
  std::atomic<bool> ended{false};         // it came to its own end, whatever that was
  std::atomic<std::uint32_t> frames{0};   // of its own view
  std::array<std::atomic<std::uint64_t>, kFrames> own_view{};  // return addresses
};

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
  std::atomic<std::uint64_t> beat{0};  // grows with work that makes no step, such as validation
  Distress distress;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(std::atomic<double>::is_always_lock_free);

inline constexpr int kSocketFd = 3;  // of the worker: messages
inline constexpr int kProgressFd =
    4;  // of the worker: a memfd of kProgressSlots slots, and an account
inline constexpr int kProgressSlots = 1024;
// Behind the slots: the account of `[study] disk` (disk/budget.h); a claim of it for each slot.
inline constexpr std::size_t kAccountOffset = sizeof(ProgressSlot) * kProgressSlots;

}  // namespace paribus::driver
