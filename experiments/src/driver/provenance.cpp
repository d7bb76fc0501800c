// SPDX-License-Identifier: Apache-2.0
#include "driver/provenance.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>

extern char** environ;

namespace paribus::driver {

namespace {

using nlohmann::json;

constexpr std::size_t kLongestDiff = 1u << 20;

std::string read_all(int fd) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    if (text.size() <= kLongestDiff)
      text.append(buffer, static_cast<std::size_t>(n));  // the rest is read and dropped
  }
}

/// What `git -C folder ...` writes; nothing if it fails or isn't there.
std::optional<std::string> git(const std::filesystem::path& folder,
                               std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"git", "-C", folder.string()});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  const Handle out(ends[0]);
  Handle in(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.get(), 1);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, "git", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return std::nullopt;
  in.reset();
  std::string text = read_all(out.get());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return text;
}

}  // namespace

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

json host_facts() {
  json facts = json::object();
  utsname names{};
  if (::uname(&names) == 0) {
    facts["host"] = names.nodename;
    facts["kernel"] = std::string(names.sysname) + " " + names.release;
    facts["processor"] = names.machine;
  }
  std::ifstream release("/etc/os-release");
  for (std::string line; std::getline(release, line);) {
    if (!line.starts_with("PRETTY_NAME=")) continue;
    line.erase(0, line.find('=') + 1);
    std::erase(line, '"');
    facts["system"] = line;
  }
  facts["cores"] = ::sysconf(_SC_NPROCESSORS_ONLN);
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0) facts["memory"] = pages * page;  // bytes
  return facts;
}

json git_state(const std::filesystem::path& folder) {
  const auto commit = git(folder, {"rev-parse", "HEAD"});
  if (!commit) return nullptr;
  const auto changes = git(folder, {"status", "--porcelain", "--untracked-files=no"});
  const bool dirty = changes && !changes->empty();
  json state = {{"commit", commit->substr(0, commit->find('\n'))}, {"dirty", dirty}};
  if (!dirty) return state;
  // Plain text whatever the user's settings are; no external diff program is run.
  auto diff = git(folder, {"diff", "--no-color", "--no-ext-diff", "HEAD"});
  if (diff && diff->size() <= kLongestDiff) state["diff"] = *diff;
  if (diff && diff->size() > kLongestDiff) state["diff_left_out"] = "longer than 1 MiB";
  return state;
}

json lock_of(const CheckedStudy& checked, const json& machine) {
  json plugins = json::array();
  for (const auto& [file, sum] : checked.plugins) {
    json plugin = {{"file", file}, {"sha256", sum}, {"parts", json::array()}};
    for (const registry::PartSchema* part : checked.catalog.parts_of(file)) {
      plugin["parts"].push_back(part->kind + "/" + part->name);
      plugin["compiler"] = part->compiler;
      plugin["libtorch"] = part->libtorch;
    }
    plugins.push_back(std::move(plugin));
  }
  return {
      {"plugins", plugins},
      {"libparibus", {{"sha256", checked.libparibus}, {"abi", machine.value("abi", json())}}},
      {"libtorch", machine.value("libtorch", json())},
      {"cpu", {{"model", cpu_model()}, {"capability", machine.value("cpu_capability", json())}}},
      {"machine", host_facts()},
      {"devices", machine.value("devices", json())},
      {"git", git_state(std::filesystem::absolute(checked.study.path).parent_path())}};
}

}  // namespace paribus::driver
