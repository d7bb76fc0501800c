// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace paribus::worker {

struct Stacks {
  std::string text;     // of every thread, a line per frame
  std::string where;    // the first frame of the thread in question that isn't the C library's
  std::string problem;  // why there is none
};

/// Stacks of a living process, `first` its thread in question: functions (C++ names demangled,
/// inlined ones too), files and lines where there is debugging information. `seconds`: after them
/// frames are left without names. Each thread stands still while it is looked at.
Stacks stacks_of(pid_t process, pid_t first, double seconds);

/// The same of one thread's return addresses, as it saw them itself.
Stacks stack_of(pid_t process, pid_t thread, const std::vector<std::uint64_t>& own_view,
                double seconds);

}  // namespace paribus::worker
