// SPDX-License-Identifier: Apache-2.0
#include "driver/system.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "driver/interrupt.h"
#include "driver/spawn.h"

namespace paribus::driver {

namespace {

namespace fs = std::filesystem;

constexpr auto kGrace = std::chrono::seconds(2);  // for its last sample
constexpr auto kLook = std::chrono::milliseconds(2);
constexpr int kNiceness = 10;                // training comes first
constexpr std::size_t kLongestWords = 2000;  // that it says of a problem
constexpr int kAccount = 3;                  // its file of the account

fs::path program() {
  if (const char* given = std::getenv("PARIBUS_SYSTEM"); given != nullptr && *given != '\0')
    return given;
  return own_folder() / "paribus-system";
}

/// Between fork and exec: system calls only.
[[noreturn]] void become_system(const char* path, pid_t parent, int input, int errors,
                                int account) {
  ::setsid();  // Ctrl-C is the driver's to deal with
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  lower_priority(kNiceness);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
  input = ::fcntl(input, F_DUPFD, 10);
  errors = ::fcntl(errors, F_DUPFD, 10);
  if (account >= 0) account = ::fcntl(account, F_DUPFD, 10);
  ::dup2(input, 0);
  ::dup2(errors, 1);
  ::dup2(errors, 2);
  if (account >= 0) ::dup2(account, kAccount);
  ::close_range(account >= 0 ? kAccount + 1 : kAccount, ~0U, 0);
  ::execl(path, "paribus-system", static_cast<char*>(nullptr));
  ::_exit(127);
}

std::string first_line_of(int fd) {
  std::string text(kLongestWords, '\0');
  const ssize_t n = ::read(fd, text.data(), text.size());  // it never blocks
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text.substr(0, text.find('\n'));
}

}  // namespace

SystemProcess::~SystemProcess() {
  if (pid_ > 0) finish();
}

void SystemProcess::start() {
  const std::string path = program().string();
  if (::access(path.c_str(), X_OK) != 0) {
    problem_ =
        fmt::format("no program at {}; install Paribus as a whole, or set PARIBUS_SYSTEM", path);
    return;
  }
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0) return void(problem_ = std::strerror(errno));
  const Handle theirs(in[0]);
  input_ = Handle(in[1]);
  if (::pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0) return void(problem_ = std::strerror(errno));
  output_ = Handle(out[0]);
  const Handle errors(out[1]);
  // A pipe that is full is one that nobody reads: what would be said is let go.
  ::fcntl(input_.get(), F_SETFL, O_NONBLOCK);
  const int board = account_.limit > 0 ? account_.board : -1;
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) problem_ = std::strerror(errno);
  if (pid_ == 0) become_system(path.c_str(), parent, theirs.get(), errors.get(), board);
  const nlohmann::json request{{"dir", dir_.string()},
                               {"every", every_},
                               {"disk", account_.limit},
                               {"claim", account_.claim}};
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const std::string line = request.dump() + '\n';
  if (::write(input_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    input_.reset();
  ::signal(SIGPIPE, before);
}

void SystemProcess::tell(const std::string& trial, pid_t pid) {
  if (every_ > 0 && pid > 0 && !started_) {
    started_ = true;
    start();
  }
  if (!input_) return;
  const std::string line =
      pid > 0 ? fmt::format("begin {} {}\n", trial, pid) : fmt::format("end {}\n", trial);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  // Short enough for a pipe to take it whole or not at all.
  if (::write(input_.get(), line.data(), line.size()) < 0 && errno == EPIPE) input_.reset();
  ::signal(SIGPIPE, before);
}

std::string SystemProcess::finish() {
  if (pid_ <= 0) return problem_;
  input_.reset();
  const auto until = std::chrono::steady_clock::now() + kGrace;
  const int interrupted = interrupts();
  int status = 0;
  pid_t done = 0;
  while ((done = ::waitpid(pid_, &status, WNOHANG)) == 0) {
    if (std::chrono::steady_clock::now() > until || interrupts() > interrupted) {
      end_process(pid_);
      break;
    }
    std::this_thread::sleep_for(kLook);
  }
  pid_ = -1;
  problem_ = first_line_of(output_.get());
  if (problem_.empty() && done > 0 && WIFSIGNALED(status))
    problem_ = fmt::format("their process was ended by signal {}", WTERMSIG(status));
  if (problem_.empty() && done > 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0)
    problem_ = fmt::format("their process ended with status {}", WEXITSTATUS(status));
  if (problem_.empty() && done == 0) problem_ = "their process hung, and was ended";
  return problem_;
}

}  // namespace paribus::driver
