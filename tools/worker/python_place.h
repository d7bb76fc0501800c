// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace paribus::worker {

/// Where a trial was in code of Python, as the bridge wrote it into the trial's log
/// (bridge/stacks.h).
struct PythonPlace {
  std::string where;   // "/home/ada/parts.py:12 in after_step"; "": nowhere, or it has no such code
  std::string stacks;  // of all its threads
};
PythonPlace python_place(const std::filesystem::path& log, pid_t process);

/// Has a process write them, where it runs such code.
void ask_for_python_stacks(pid_t process);

}  // namespace paribus::worker
