// SPDX-License-Identifier: Apache-2.0
#include "child.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "paribus/error.h"

namespace paribus {
namespace {

double now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

std::vector<std::string> environment_with(const Child::Environment& changes) {
  std::vector<std::string> result;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!changes.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) result.push_back(name + '=' + value);
  }
  return result;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

constexpr int kNotStarted = 127;

}  // namespace

Child::Child(const std::vector<std::string>& command, const Environment& changes) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw Error(fmt::format("can't make a pipe for {}: {}", command.front(), std::strerror(errno)));
  const std::vector<std::string> environment = environment_with(changes);
  const std::vector<char*> words = pointers(command), variables = pointers(environment);
  const pid_t parent = ::getpid();
  begun_ = now();
  pid_ = ::fork();
  if (pid_ == 0) {  // system calls only from here on
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(kNotStarted);
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(ends[1], 1);
    ::dup2(ends[1], 2);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
    ::execvpe(words.front(), words.data(), variables.data());
    ::_exit(kNotStarted);
  }
  ::close(ends[1]);
  out_ = ends[0];
  if (pid_ < 0) {
    ::close(out_);
    throw Error(fmt::format("can't start {}: {}", command.front(), std::strerror(errno)));
  }
}

Child::~Child() {
  if (!over_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(out_);
}

void Child::read(int milliseconds) {
  pollfd wait{out_, POLLIN, 0};
  if (::poll(&wait, 1, milliseconds) <= 0) return;
  std::array<char, 65536> buffer{};
  const ssize_t n = ::read(out_, buffer.data(), buffer.size());
  if (n > 0) ended_.output.append(buffer.data(), static_cast<std::size_t>(n));
  // The pipe is closed a moment before the process is seen to end.
  if (n == 0) ::usleep(200);
}

bool Child::wait(int milliseconds) {
  const double until = now() + milliseconds / 1000.0;
  while (!over_) {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    over_ = ended == pid_ || (ended < 0 && errno == ECHILD);
    if (over_) {
      ended_.status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
      ended_.seconds = now() - begun_;
      for (std::size_t before = 0; before != ended_.output.size() + 1;) {
        before = ended_.output.size() + 1;
        read(0);
      }
      break;
    }
    if (now() >= until) break;
    read(milliseconds < 5 ? milliseconds : 5);
  }
  return over_;
}

const Ended& Child::finish() {
  while (!wait(1000)) {
  }
  return ended_;
}

void Child::kill(int signal) const {
  if (!over_) ::kill(pid_, signal);
}

Ended run_program(const std::vector<std::string>& command, const Child::Environment& changes) {
  Child child(command, changes);
  const Ended& ended = child.finish();
  if (ended.status == kNotStarted && ended.output.empty())
    throw Error(fmt::format("{} can't be run; is it installed and in PATH?", command.front()));
  return ended;
}

}  // namespace paribus
