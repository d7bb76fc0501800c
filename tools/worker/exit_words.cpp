// SPDX-License-Identifier: Apache-2.0
#include "exit_words.h"

#include <algorithm>
#include <fstream>

#include "driver/worker.h"

namespace paribus::worker {
std::int64_t oom_kills() {
  std::ifstream in("/proc/vmstat");
  std::string name;
  for (std::int64_t count = 0; in >> name >> count;) {
    if (name == "oom_kill") return count;
  }
  return 0;
}

std::string signal_in_words(int signal) { return driver::signal_name(signal); }

std::string last_line(const std::filesystem::path& file) {
  constexpr std::streamoff kTail = 4096;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return "";
  in.seekg(std::max<std::streamoff>(0, in.tellg() - std::min<std::streamoff>(kTail, in.tellg())));
  std::string last;
  for (std::string line; std::getline(in, line);) {
    const std::size_t text = line.find_first_not_of(' ');
    if (text != std::string::npos) last = line.substr(text);
  }
  return last;
}

void write_stacks(const std::filesystem::path& file, const std::string& message,
                  const std::string& stack) {
  std::ofstream(file) << message << '\n' << stack;
}

}  // namespace paribus::worker
