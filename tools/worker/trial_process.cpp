// SPDX-License-Identifier: Apache-2.0
#include "trial_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <vector>

#include "driver/progress.h"
#include "forked.h"
#include "paribus/error.h"
#include "strays.h"

namespace paribus::worker {
namespace {

namespace fs = std::filesystem;

std::vector<int> open_descriptors() {
  std::vector<int> found;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
    found.push_back(std::atoi(entry.path().filename().c_str()));
  std::erase_if(found, [](int fd) { return fd <= STDERR_FILENO || ::fcntl(fd, F_GETFD) < 0; });
  return found;
}

/// Of how a file was opened, what holds for opening it anew; O_TMPFILE, for one, would make
/// another.
constexpr int kKept = O_ACCMODE | O_APPEND | O_NONBLOCK | O_DIRECT | O_SYNC;

/// A descriptor of the zygote shares its offset and its locks with it. A file that a data set keeps
/// open is opened anew, where it stands; all else (the driver's socket, pipes, other trials') is
/// none of the trial's business and becomes /dev/null: its number must mean nothing else to whoever
/// remembers it.
void own_descriptors() {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : open_descriptors()) {
    if (fd == nothing) continue;
    struct stat about {};
    const bool is_own =
        fd != driver::kProgressFd && ::fstat(fd, &about) == 0 &&
        (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode) || S_ISCHR(about.st_mode));
    const int flags = ::fcntl(fd, F_GETFL) & kKept;
    const int closes = (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0;
    const off_t offset = ::lseek(fd, 0, SEEK_CUR);
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    const int fresh = is_own ? ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY) : -1;
    if (fresh >= 0) ::lseek(fresh, offset, SEEK_SET);
    ::dup3(fresh >= 0 ? fresh : nothing, fd, closes);
    if (fresh >= 0) ::close(fresh);
  }
  ::close(nothing);
}

void redirect_output(const fs::path& file) {
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  ::dup2(fd, STDOUT_FILENO);
  ::dup2(fd, STDERR_FILENO);
  ::close(fd);
}

/// The same for both ways to start one; an exec keeps all of it.
void become_trial(pid_t zygote, const fs::path& log) {
  die_with_parent(zygote);
  ::setsid();
  reap_strays();  // what its plugins leave behind stays below it, to be found when it ends
#ifdef PR_SET_PTRACER
  ::prctl(PR_SET_PTRACER, zygote);  // Yama: else only its parent may read its stacks
#endif
  ::prctl(PR_SET_NAME, "paribus-trial");
  ::signal(SIGINT, SIG_IGN);  // the driver decides, once, for all
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // Where memory runs out the kernel shall choose a trial, not the zygote of all of them.
  std::ofstream("/proc/self/oom_score_adj") << 500;
  redirect_output(log);
}

/// In memory that the fresh process inherits: an order is longer than a pipe holds.
int order_file(const std::string& text) {
  const int fd = ::memfd_create("paribus-order", MFD_CLOEXEC);
  if (fd < 0) throw Error(std::string("can't hand over a trial: ") + std::strerror(errno));
  write_all(fd, text);
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

[[noreturn]] void become_fresh(int order) {
  order = ::fcntl(order, F_DUPFD, 10);
  ::dup2(order, driver::kSocketFd);
  ::fcntl(driver::kProgressFd, F_SETFD, 0);
  ::close_range(driver::kProgressFd + 1, ~0U, 0);
  ::execl("/proc/self/exe", "paribus-worker", kFreshFlag, static_cast<char*>(nullptr));
  std::fprintf(stderr, "can't start a fresh process: %s\n", std::strerror(errno));
  ::_exit(1);
}

/// A trial that can't be confined doesn't begin.
void confine_or_end(const std::function<void()>& confine) {
  try {
    confine();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    std::fflush(nullptr);
    ::_exit(1);
  }
}

pid_t forked() {
  std::fflush(nullptr);  // what is buffered is written once, by this process
  const pid_t child = ::fork();
  if (child < 0) throw Error(std::string("can't fork: ") + std::strerror(errno));
  return child;
}

}  // namespace

int threads_here() {
  int threads = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/task")) ++threads;
  return threads;
}

pid_t fork_trial(const fs::path& log, const std::function<void()>& confine,
                 const std::function<int()>& work) {
  const pid_t zygote = ::getpid();
  const pid_t child = forked();
  if (child > 0) return child;
  become_trial(zygote, log);
  own_descriptors();
  confine_or_end(confine);
  const int code = work();
  std::fflush(nullptr);
  ::_exit(code);
}

pid_t spawn_trial(const fs::path& log, const nlohmann::json& order,
                  const std::function<void()>& confine) {
  const int file = order_file(order.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const pid_t zygote = ::getpid();
  const pid_t child = forked();
  if (child == 0) {
    become_trial(zygote, log);
    confine_or_end(confine);
    become_fresh(file);
  }
  ::close(file);
  return child;
}

nlohmann::json read_order() {
  ::prctl(PR_SET_NAME, "paribus-trial");
  nlohmann::json order = nlohmann::json::parse(read_all(driver::kSocketFd));
  ::close(driver::kSocketFd);
  return order;
}

}  // namespace paribus::worker
