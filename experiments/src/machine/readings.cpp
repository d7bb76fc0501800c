// SPDX-License-Identifier: Apache-2.0
#include "machine/readings.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

namespace paribus::machine {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostText = 1 << 20;  // of a file of /proc
constexpr double kSector = 512;             // bytes, whatever the disk's own are

std::string text_of(const fs::path& path) {
  std::string text;
  std::array<char, 4096> piece{};
  std::ifstream in(path, std::ios::binary);
  while (in && text.size() < kMostText) {
    in.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  return text;
}

/// The number behind `name` in lines of the form `name: 12 kB`.
std::optional<double> number_at(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    double value = 0;
    if (line.starts_with(name) && std::istringstream(line.substr(name.size())) >> value)
      return value;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Reading> Machine::read() {
  std::vector<Reading> all;
  add_cpu(all);
  add_memory(all);
  double load = 0;
  if (std::istringstream(text_of(root_ / "proc/loadavg")) >> load)
    all.push_back({"load", "", load});
  add_disks(all);
  add_network(all);
  add_energy(all);
  return all;
}

void Machine::add_cpu(std::vector<Reading>& to) {
  std::istringstream words(text_of(root_ / "proc/stat"));
  std::string word;
  std::uint64_t all = 0, idle = 0, ticks = 0;
  words >> word;
  for (int i = 0; i < 8 && words >> ticks; ++i) {  // guests count in user already
    all += ticks;
    if (i == 3 || i == 4) idle += ticks;  // idle, waiting for a disk
  }
  if (all_ > 0 && all > all_ && idle >= idle_) {
    const double busy = 1 - static_cast<double>(idle - idle_) / static_cast<double>(all - all_);
    to.push_back({"cpu", "%", 100 * std::clamp(busy, 0.0, 1.0)});
  }
  all_ = all, idle_ = idle;
}

void Machine::add_memory(std::vector<Reading>& to) const {
  const std::string text = text_of(root_ / "proc/meminfo");
  const auto total = number_at(text, "MemTotal:"), free = number_at(text, "MemAvailable:");
  if (total && free) to.push_back({"memory", "B", (*total - *free) * 1024});
}

/// Whole disks only: what a partition or a mapped device does is theirs as well.
void Machine::add_disks(std::vector<Reading>& to) {
  struct statvfs facts {};
  if (::statvfs(study_.c_str(), &facts) == 0)
    to.push_back({"disk.free", "B",
                  static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize)});
  std::istringstream lines(text_of(root_ / "proc/diskstats"));
  double read = 0, written = 0;
  bool is_known = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    double number = 0, from = 0, into = 0;
    words >> number >> number >> name >> number >> number >> from >> number >> number >> number >>
        into;
    std::error_code none;
    if (!words || !fs::exists(root_ / "sys/block" / name / "device", none)) continue;
    read += from * kSector, written += into * kSector;
    is_known = true;
  }
  if (!is_known) return;
  add_sum(to, "disk.read", read);
  add_sum(to, "disk.written", written);
}

void Machine::add_network(std::vector<Reading>& to) {
  std::istringstream lines(text_of(root_ / "proc/net/dev"));
  double received = 0, sent = 0;
  bool is_known = false;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string name = line.substr(line.find_first_not_of(' '), colon);
    if (name.starts_with("lo:")) continue;
    std::istringstream words(line.substr(colon + 1));
    double in = 0, out = 0, other = 0;
    words >> in;
    for (int i = 0; i < 7; ++i) words >> other;
    if (!(words >> out)) continue;
    received += in, sent += out;
    is_known = true;
  }
  if (!is_known) return;
  add_sum(to, "network.received", received);
  add_sum(to, "network.sent", sent);
}

/// By RAPL, where the system lets it be read: whole processors, each by a count that begins anew
/// when it is full.
void Machine::add_energy(std::vector<Reading>& to) {
  std::error_code none;
  bool is_known = false;
  for (const auto& zone : fs::directory_iterator(root_ / "sys/class/powercap", none)) {
    const std::string name = zone.path().filename();
    // intel-rapl:0, whose name is package-0: neither its parts (intel-rapl:0:1), nor the platform
    // around it (psys), nor the same by another way (intel-rapl-mmio:0).
    const bool is_whole = name.starts_with("intel-rapl:") && name.find(':') == name.rfind(':') &&
                          text_of(zone.path() / "name").starts_with("package");
    double now = 0, most = 0;
    if (!is_whole || !(std::istringstream(text_of(zone.path() / "energy_uj")) >> now)) continue;
    std::istringstream(text_of(zone.path() / "max_energy_range_uj")) >> most;
    const auto [before, is_first] = microjoules_.try_emplace(name, now);
    const double used = now - before->second + (now < before->second ? most : 0);
    if (!is_first && used > 0) joules_ += used * 1e-6;
    before->second = now;
    is_known = true;
  }
  if (is_known) to.push_back({"energy", "J", joules_, true});
}

/// A device that goes takes its count along: a sum doesn't fall all the same.
void Machine::add_sum(std::vector<Reading>& to, const char* name, double now) {
  const auto first = first_.try_emplace(name, now).first;
  first->second = std::min(first->second, now);
  to.push_back({name, "B", now - first->second, true});
}

std::optional<Process> process_of(const std::string& stat) {
  const std::size_t close = stat.rfind(')');  // a name may hold anything
  if (close == std::string::npos) return std::nullopt;
  std::istringstream words(stat.substr(close + 1));
  Process found;
  words >> found.state >> found.parent;
  double number = 0, ticks = 0;
  for (int field = 5; field < 14; ++field) words >> number;
  for (int field = 14; field < 18 && words >> number; ++field) ticks += number;
  for (int field = 18; field < 22; ++field) words >> number;
  double pages = 0;
  words >> found.started >> number >> pages;
  if (!words) return std::nullopt;
  found.seconds = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  found.resident = pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
  return found;
}

std::map<pid_t, Process> processes(const fs::path& root) {
  std::map<pid_t, Process> all;
  std::error_code gone;
  for (auto entry = fs::directory_iterator(root / "proc", gone); entry != fs::directory_iterator();
       entry.increment(gone)) {
    const std::string name = entry->path().filename();
    pid_t pid = 0;
    const auto [rest, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (problem != std::errc() || rest != name.data() + name.size()) continue;
    if (const auto found = process_of(text_of(entry->path() / "stat"))) all.emplace(pid, *found);
  }
  return all;
}

Use use_of(pid_t pid, const std::map<pid_t, Process>& all, const fs::path& root) {
  std::multimap<pid_t, pid_t> children;
  for (const auto& [child, process] : all) children.emplace(process.parent, child);
  Use use{.read = 0, .written = 0};
  std::set<pid_t> seen;
  for (std::vector<pid_t> left{pid}; !left.empty();) {
    const pid_t now = left.back();
    left.pop_back();
    const auto process = all.find(now);
    if (process == all.end() || !seen.insert(now).second) continue;
    use.seconds += process->second.seconds;
    use.resident += process->second.resident;
    const std::string io = text_of(root / "proc" / std::to_string(now) / "io");
    const auto read = number_at(io, "read_bytes:"), written = number_at(io, "write_bytes:");
    use.read = use.read && read ? std::optional(*use.read + *read) : std::nullopt;
    use.written = use.written && written ? std::optional(*use.written + *written) : std::nullopt;
    const auto [from, to] = children.equal_range(now);
    for (auto child = from; child != to; ++child) left.push_back(child->second);
  }
  return use;
}

}  // namespace paribus::machine
