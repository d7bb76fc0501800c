// SPDX-License-Identifier: Apache-2.0
#include "watch_stop.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "driver/handle.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;

/// A number may be another process's by now, or one of another machine.
bool has_open(pid_t pid, const fs::path& file) {
  struct stat wanted {};
  if (::stat(file.c_str(), &wanted) != 0) return false;
  std::error_code unknown;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), unknown)) {
    struct stat one {};
    if (::stat(entry.path().c_str(), &one) == 0 && one.st_dev == wanted.st_dev &&
        one.st_ino == wanted.st_ino)
      return true;
  }
  return false;
}

}  // namespace

std::string stop_trial(const fs::path& journal, pid_t pid) {
  if (pid <= 1) return "its journal doesn't say which process it is";
  // Held from before the check: the number can't pass to another process in between.
  const driver::Handle process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || !has_open(pid, journal))
    return fmt::format("process {} of this machine doesn't run it, or isn't yours", pid);
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGTERM, nullptr, 0) == 0) return "";
  return fmt::format("process {} can't be asked: {}", pid, std::strerror(errno));
}

}  // namespace paribus
