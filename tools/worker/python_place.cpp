// SPDX-License-Identifier: Apache-2.0
#include "python_place.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace paribus::worker {
namespace {

constexpr std::streamoff kTail = 64 << 10;

std::string tail_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return "";
  in.seekg(std::max<std::streamoff>(0, in.tellg() - std::min<std::streamoff>(kTail, in.tellg())));
  return {std::istreambuf_iterator<char>(in), {}};
}

/// `  File "/home/ada/parts.py", line 12 in after_step`
std::string place_in(const std::string& line) {
  const std::size_t begin = line.find("File \"");
  const std::size_t end = line.find("\", line ", begin);
  if (begin == std::string::npos || end == std::string::npos) return "";
  return line.substr(begin + 6, end - begin - 6) + ":" + line.substr(end + 8);
}

/// The innermost frame that isn't of Paribus or of what Python ships with.
std::string innermost(const std::string& stacks) {
  std::string first;
  for (std::size_t at = 0; at < stacks.size();) {
    const std::size_t end = std::min(stacks.find('\n', at), stacks.size());
    const std::string place = place_in(stacks.substr(at, end - at));
    const bool is_library = place.find("/lib/python3") != std::string::npos ||
                            place.find("/paribus/bridge.py") != std::string::npos;
    if (!place.empty() && !is_library) return place;
    if (first.empty()) first = place;
    at = end + 1;
  }
  return first;
}

}  // namespace

PythonPlace python_place(const std::filesystem::path& log, pid_t process) {
  const std::string text = tail_of(log);
  const std::string head = "Python's stacks in process " + std::to_string(process) + ":\n";
  const std::size_t at = text.rfind(head);
  if (at == std::string::npos) return {};
  const std::string stacks = text.substr(at + head.size());
  return {innermost(stacks), stacks};
}

void ask_for_python_stacks(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("SigCgt:")) continue;
    const unsigned long long caught = std::strtoull(line.c_str() + 7, nullptr, 16);
    if ((caught >> (SIGUSR2 - 1) & 1U) != 0) ::syscall(SYS_tgkill, process, process, SIGUSR2);
  }
}

}  // namespace paribus::worker
