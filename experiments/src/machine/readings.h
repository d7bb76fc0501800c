// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What a machine and the processes on it use, as /proc says. What can't be read is left out, never
/// zero: containers and other kernels have less of it.
namespace paribus::machine {

/// A gauge at one moment. `counts`: it is a sum since the first reading, and only grows.
struct Reading {
  std::string name, unit;
  double value = 0;
  bool counts = false;
};

/// The machine as a whole, and the file system of a study.
class Machine {
 public:
  /// `root`: where `proc` and `sys` are; another one than / is for tests.
  explicit Machine(std::filesystem::path study, std::filesystem::path root = "/")
      : study_(std::move(study)), root_(std::move(root)) {}

  /// Shares of time are those since the reading before; the first one has none.
  std::vector<Reading> read();

 private:
  void add_cpu(std::vector<Reading>& to);
  void add_memory(std::vector<Reading>& to) const;
  void add_disks(std::vector<Reading>& to);
  void add_network(std::vector<Reading>& to);
  void add_energy(std::vector<Reading>& to);
  void add_sum(std::vector<Reading>& to, const char* name, double now);

  std::filesystem::path study_, root_;
  std::uint64_t all_ = 0, idle_ = 0;           // ticks of all cores
  std::map<std::string, double> first_;        // of each sum
  std::map<std::string, double> microjoules_;  // of each processor, by its own count
  double joules_ = 0;                          // of all since the first reading
};

/// A process as /proc/PID/stat has it; times with those of children that were waited for.
struct Process {
  pid_t parent = 0;
  char state = 'R';
  double seconds = 0;         // of all cores
  std::uint64_t started = 0;  // tells a process from a later one of the same number
  double resident = 0;        // bytes
};

/// Nothing where the text is none, as of a process that has ended.
std::optional<Process> process_of(const std::string& stat);

/// All there are, by number.
std::map<pid_t, Process> processes(const std::filesystem::path& root = "/");

/// What a process and all below it use.
struct Use {
  double seconds = 0, resident = 0;     // pages that processes share count in each
  std::optional<double> read, written;  // bytes from and to disks; where the system tells
};
Use use_of(pid_t pid, const std::map<pid_t, Process>& all, const std::filesystem::path& root = "/");

}  // namespace paribus::machine
