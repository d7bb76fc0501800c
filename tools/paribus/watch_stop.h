// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace paribus {

/// Asks a trial's process to stop, as SIGTERM does (docs/training_loop.md): it saves, ends as
/// stopped and can be resumed. `pid`: what its journal says; only a process of this machine that
/// has that journal open gets the signal. Returns "" or why it was not sent.
std::string stop_trial(const std::filesystem::path& journal, pid_t pid);

}  // namespace paribus
