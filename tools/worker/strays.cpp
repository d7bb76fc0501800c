// SPDX-License-Identifier: Apache-2.0
#include "strays.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace paribus::worker {
namespace {

/// Where the kernel keeps no list of children: by everyone's parent.
std::vector<pid_t> children_by_parent(pid_t parent) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string line;
    std::getline(std::ifstream(entry.path() / "stat"), line);
    const std::size_t after_name = line.rfind(')');  // a name may hold anything
    if (after_name == std::string::npos || line.size() < after_name + 4) continue;
    if (std::atoi(line.c_str() + after_name + 4) == parent) found.push_back(std::stoi(name));
  }
  return found;
}

std::vector<pid_t> children() {
  const std::string self = std::to_string(::getpid());
  std::ifstream list("/proc/self/task/" + self + "/children");
  if (!list) return children_by_parent(::getpid());
  std::vector<pid_t> found;
  for (pid_t child = 0; list >> child;) found.push_back(child);
  return found;
}

}  // namespace

void reap_strays() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

bool kill_strays(const std::function<bool(pid_t)>& is_trial) {
  const pid_t session = ::getsid(0);
  bool found = false;
  for (const pid_t child : children()) {
    if (is_trial(child) || ::getsid(child) == session) continue;
    found = true;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, WNOHANG);
  }
  return found;
}

void kill_all_below() {
  constexpr int kLooks = 500;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 2'000'000};
  for (int look = 0; look < kLooks; ++look) {
    for (const pid_t child : children()) ::kill(child, SIGKILL);  // theirs come to us, and are next
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (ended < 0 && errno == ECHILD) return;
    ::nanosleep(&kPause, nullptr);
  }
}

}  // namespace paribus::worker
