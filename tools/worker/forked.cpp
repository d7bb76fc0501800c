// SPDX-License-Identifier: Apache-2.0
#include "forked.h"

#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <regex>
#include <string_view>

#include "paribus/error.h"

namespace paribus::worker {
namespace {

using nlohmann::json;

constexpr std::size_t kMostName = 4096;

/// Whom a fork is trying, where its parent sees it. A page that lasts as long as the process.
char* tried() {
  static char* const kPage = [] {
    void* page =
        ::mmap(nullptr, kMostName, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? nullptr : static_cast<char*>(page);
  }();
  return kPage;
}

/// By the dynamic linker's names.
std::map<std::string, std::string, std::less<>>& plugins() {
  static std::map<std::string, std::string, std::less<>> all;
  return all;
}

/// The plugin that holds this address, or nullptr.
const char* plugin_at(const void* address) {
  Dl_info about{};
  if (::dladdr(address, &about) == 0 || about.dli_fname == nullptr) return nullptr;
  const auto found = plugins().find(std::string_view(about.dli_fname));
  return found == plugins().end() ? nullptr : found->second.c_str();
}

/// On a crash: the innermost plugin on the stack is named where the parent sees it. Nothing here
/// allocates; a crash in here ends the process at once.
void tell_who_crashed(int signal) {
  std::array<void*, 256> frames{};
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  const char* plugin = nullptr;
  for (int i = 0; i < count && plugin == nullptr; ++i) plugin = plugin_at(frames[i]);
  if (plugin != nullptr) std::snprintf(tried(), kMostName, "%s", plugin);
  ::raise(signal);
}

/// On a stack of its own: an overflow leaves none.
void watch_crashes() {
  constexpr std::size_t kStack = std::size_t{1} << 16;
  static std::array<char, kStack> room;
  if (tried() == nullptr) return;
  std::array<void*, 1> first{};
  ::backtrace(first.data(), 1);  // loads what it needs
  stack_t stack{};
  stack.ss_sp = room.data(), stack.ss_size = room.size();
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = tell_who_crashed;
  action.sa_flags = SA_ONSTACK | SA_NODEFER | static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP})
    ::sigaction(signal, &action, nullptr);
}

std::string whom() {
  const char* page = tried();
  const std::string name(page, page == nullptr ? 0 : ::strnlen(page, kMostName));
  return name.empty() ? "a plugin" : name + ": it";
}

double cpu_seconds(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Neither computing, nor waiting for a core or for a disk; stopped, perhaps.
bool is_asleep(pid_t process) {
  std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(stat, text);
  const std::size_t name_ends = text.rfind(')');  // the name may hold anything
  return name_ends != std::string::npos && name_ends + 2 < text.size() &&
         std::string_view("STt").find(text[name_ends + 2]) != std::string_view::npos;
}

/// What became too much: "20 s of computing"; "" where there is something to read, or it has ended.
std::string lateness(int fd, pid_t child, int seconds) {
  constexpr int kLook = 50;  // ms
  int asleep = 0;            // ms
  pollfd wait{fd, POLLIN, 0};
  while (::poll(&wait, 1, kLook) <= 0) {
    if (is_asleep(child)) asleep += kLook;
    if (cpu_seconds(child) > seconds) return std::to_string(seconds) + " s of computing";
    if (asleep > seconds * 1000) return std::to_string(seconds) + " s of waiting";
  }
  return "";
}

json attempt(const std::function<json()>& work) {
  try {
    return work();
  } catch (const c10::Error& problem) {
    return refusal(std::string("model: ") + problem.what_without_backtrace());
  } catch (const std::exception& problem) {
    return refusal(problem.what());
  } catch (...) {
    return refusal("a plugin threw something that is no error");
  }
}

}  // namespace

void write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

json refusal(const std::string& text) {
  static const std::regex kAddress(
      R"(^((?:study|data|model|loss|metric|optimizer|schedule|callback|train|sweep)[a-z0-9_.]*): )");
  std::smatch match;
  json problem{{"address", ""}, {"message", text}};
  if (std::regex_search(text, match, kAddress)) {
    problem = {{"address", match[1].str()}, {"message", match.suffix().str()}};
  }
  return {{"ok", false}, {"problems", json::array({problem})}};
}

void die_with_parent(int parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
}

void blame_in_crashes(const std::string& mapped, const std::string& plugin) {
  plugins()[mapped] = plugin;
}

void now_trying(const std::string& who) {
  if (tried() != nullptr) std::snprintf(tried(), kMostName, "%s", who.c_str());
}

json run_forked(const std::function<json()>& work, int seconds) {
  now_trying("");
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0)
    return refusal(std::string("can't make a pipe: ") + std::strerror(errno));
  const int parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return refusal(std::string("can't fork: ") + std::strerror(errno));
  if (child == 0) {
    die_with_parent(parent);
    ::close(ends[0]);
    watch_crashes();
    write_all(ends[1], attempt(work).dump(-1, ' ', false, json::error_handler_t::replace));
    ::_exit(0);
  }
  ::close(ends[1]);
  const std::string late = seconds > 0 ? lateness(ends[0], child, seconds) : "";
  if (!late.empty()) ::kill(child, SIGKILL);
  const std::string text = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!late.empty()) {
    return refusal(whom() + " did not come to an end in " + late +
                   " when it was loaded; mend it, or use another plugin");
  }
  if (WIFSIGNALED(status)) {
    return refusal(whom() + " crashed while it was tried: " + ::strsignal(WTERMSIG(status)) +
                   "; mend it, or use another plugin");
  }
  json reply = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!reply.is_object()) return refusal(whom() + " ended the process that tried it; mend it");
  return reply;
}

}  // namespace paribus::worker
