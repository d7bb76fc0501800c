// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "driver/handle.h"

namespace paribus::driver {

struct Spawned {
  pid_t pid = -1;
  Handle socket;  // our end of its fd 3
  Handle errors;  // what it writes to stderr; never blocks us
};

/// Starts the worker in a session of its own (Ctrl-C is the driver's to deal with), to die with us,
/// with fd 3 (socket), fd 4 (progress), stdin from /dev/null and no other descriptor. Throws Error
/// naming the program if it can't be run.
Spawned spawn_worker(const std::filesystem::path& program, int progress_fd);

/// Kills a child, and waits a moment for its end: one that a device holds may take its time, and is
/// let go of.
void end_process(pid_t child);

/// Gives this process, the leader of a session, less of the processors than others: the kernel
/// may share them out by session first (autogroup). System calls only: for between fork and exec.
void lower_priority(int niceness);

/// The folder of the running program.
std::filesystem::path own_folder();

}  // namespace paribus::driver
