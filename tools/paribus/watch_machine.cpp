// SPDX-License-Identifier: Apache-2.0
#include "watch_machine.h"

#include <unistd.h>

#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace paribus {

MachineReading Machine::read() {
  MachineReading now;
  now.cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  std::ifstream stat("/proc/stat");
  std::string word;
  if (std::string line; std::getline(stat, line)) {
    std::istringstream words(line);
    words >> word;
    std::uint64_t all = 0, idle = 0, ticks = 0;
    for (int i = 0; i < 8 && words >> ticks; ++i) {  // guests count in user already
      all += ticks;
      if (i == 3 || i == 4) idle += ticks;  // idle, waiting for a disk
    }
    if (all_ > 0 && all > all_ && idle >= idle_)
      now.busy = 1 - static_cast<double>(idle - idle_) / static_cast<double>(all - all_);
    if (all > all_) all_ = all, idle_ = idle;
  }
  std::ifstream memory("/proc/meminfo");
  std::optional<double> total, available;
  for (double kib = 0; memory >> word >> kib;) {
    if (word == "MemTotal:") total = kib * 1024;
    if (word == "MemAvailable:") available = kib * 1024;
    memory.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  now.memory = total;
  if (total && available) now.memory_used = *total - *available;
  return now;
}

}  // namespace paribus
