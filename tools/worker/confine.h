// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace paribus::worker {

/// Takes from this process and all that it will start, before any plugin is loaded: sockets,
/// writing to any file but below `folders` and a few devices, changing whose a file is and who may
/// read it, signals to processes that were there before it (Linux 6.12), and calls that only a
/// system's administrator needs. Nothing gives it back. Throws Error where the kernel can't.
void confine(const std::vector<std::filesystem::path>& folders);

/// Takes more from a trial, before it does anything: the journals of others, signals to others (but
/// for SIGCHLD, which hurts nobody), and looks into their memory. `TMPDIR` becomes a folder of its
/// own below `directory`. An exec keeps all of it. Throws Error.
void confine_trial(const std::filesystem::path& directory, const std::string& trial);

}  // namespace paribus::worker
