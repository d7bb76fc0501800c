// SPDX-License-Identifier: Apache-2.0
#include "driver/spawn.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

#include "driver/worker.h"
#include "paribus/error.h"
#include "registry/own_program.h"

namespace paribus::driver {

namespace {

constexpr int kSocket = 3;
constexpr int kProgress = 4;

[[noreturn]] void fail(const std::string& what) {
  throw Error(fmt::format("{}: {}", what, std::strerror(errno)));
}

struct Pair {
  Handle ours, theirs;
};

Pair socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    fail("can't make a socket pair for the worker");
  return {Handle(fds[0]), Handle(fds[1])};
}

Pair pipe_pair(int flags) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC | flags) != 0) fail("can't make a pipe for the worker");
  return {Handle(fds[0]), Handle(fds[1])};
}

/// An entry that is empty or relative means the current folder, in which nobody looks for libraries
/// on purpose.
void leave_out_current_folder(const char* variable) {
  const char* listed = std::getenv(variable);
  if (listed == nullptr) return;
  std::string kept;
  for (std::string_view rest = listed; !rest.empty();) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    if (rest.front() == '/') kept.append(kept.empty() ? "" : ":").append(rest.substr(0, colon));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  kept.empty() ? ::unsetenv(variable) : ::setenv(variable, kept.c_str(), 1);
}

/// Between fork and exec: system calls only.
[[noreturn]] void become_worker(const char* program, pid_t parent, int socket, int progress,
                                int errors, int verdict) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the driver died before the line above
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
  // Out of the way first: any of these may itself be 3 or 4.
  socket = ::fcntl(socket, F_DUPFD, 10);
  progress = ::fcntl(progress, F_DUPFD, 10);
  errors = ::fcntl(errors, F_DUPFD, 10);
  verdict = ::fcntl(verdict, F_DUPFD_CLOEXEC, 10);
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, 0);
  ::dup2(errors, 1);
  ::dup2(errors, 2);
  ::dup2(socket, kSocket);
  ::dup2(progress, kProgress);
  ::dup2(verdict, kProgress + 1);
  ::fcntl(kProgress + 1, F_SETFD, FD_CLOEXEC);
  ::close_range(kProgress + 2, ~0U, 0);
  ::execl(program, "paribus-worker", static_cast<char*>(nullptr));
  const int reason = errno;
  [[maybe_unused]] const ssize_t n = ::write(kProgress + 1, &reason, sizeof reason);
  ::_exit(127);
}

}  // namespace

std::filesystem::path own_folder() { return registry::own_program().parent_path(); }

std::filesystem::path Worker::program() {
  if (const char* given = std::getenv("PARIBUS_WORKER"); given != nullptr && *given != '\0')
    return given;
  const std::filesystem::path beside = own_folder() / "paribus-worker";
  if (!std::filesystem::exists(beside)) {
    throw Error(fmt::format(
        "no worker program at {}; install Paribus as a whole, or set PARIBUS_WORKER to it",
        beside.string()));
  }
  return beside;
}

Spawned spawn_worker(const std::filesystem::path& program, int progress_fd) {
  Pair socket = socket_pair();
  Pair errors = pipe_pair(0);
  Pair verdict = pipe_pair(0);
  ::fcntl(errors.ours.get(), F_SETFL, O_NONBLOCK);
  Handle empty;
  if (progress_fd < 0) {
    empty = Handle(::memfd_create("paribus-progress", MFD_CLOEXEC));
    if (!empty) fail("can't make shared memory for the worker");
    progress_fd = empty.get();
  }
  const std::string path = program.string();
  leave_out_current_folder("LD_LIBRARY_PATH");
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) fail("can't start the worker");
  if (pid == 0) {
    become_worker(path.c_str(), parent, socket.theirs.get(), progress_fd, errors.theirs.get(),
                  verdict.theirs.get());
  }
  verdict.theirs.reset();
  int reason = 0;
  ssize_t n = 0;
  do n = ::read(verdict.ours.get(), &reason, sizeof reason);
  while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof reason)) {
    ::waitpid(pid, nullptr, 0);
    throw Error(fmt::format("can't run the worker {}: {}", path, std::strerror(reason)));
  }
  return {pid, std::move(socket.ours), std::move(errors.ours)};
}

void end_process(pid_t child) {
  constexpr int kLooks = 200;
  ::kill(child, SIGKILL);
  for (int look = 0; look < kLooks && ::waitpid(child, nullptr, WNOHANG) == 0; ++look)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

void lower_priority(int niceness) {
  ::setpriority(PRIO_PROCESS, 0, niceness);
  const int group = ::open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
  if (group < 0) return;
  const char digits[] = {static_cast<char>('0' + niceness / 10),
                         static_cast<char>('0' + niceness % 10), '\n'};
  (void)!::write(group, digits, sizeof digits);
  ::close(group);
}

}  // namespace paribus::driver
