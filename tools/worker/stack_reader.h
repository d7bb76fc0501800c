// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "driver/progress.h"
#include "stacks.h"

namespace paribus::worker {

/// Reads the stacks of a trial in a process of its own, so that neither a damaged file nor a slow
/// one can hold up the zygote. Bounded: after `kSeconds` names are left out, after twice that it is
/// given up.
class StackReader {
 public:
  static constexpr double kSeconds = 8;

  /// `own_view`: of what the trial saw itself, else by looking at it.
  StackReader(pid_t trial, const driver::Distress& distress, bool own_view);
  ~StackReader();
  StackReader(const StackReader&) = delete;
  StackReader& operator=(const StackReader&) = delete;

  /// Readable when there is news.
  [[nodiscard]] int descriptor() const { return output_; }
  /// The stacks, once there are any, or the reason why there are none. Never waits.
  std::optional<Stacks> result();

 private:
  pid_t reader_ = -1;
  int output_ = -1;
  std::string text_, problem_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace paribus::worker
