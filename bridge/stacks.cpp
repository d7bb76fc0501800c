// SPDX-License-Identifier: Apache-2.0
#include "stacks.h"

#include <Python.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

// What faulthandler uses: they allocate nothing and take no lock.
extern "C" {
__attribute__((weak)) const char* _Py_DumpTracebackThreads(int fd, PyInterpreterState* interpreter,
                                                           PyThreadState* current);
}

namespace paribus::python {
namespace {

constexpr std::array kSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGUSR2};

std::array<struct sigaction, 65> before;
volatile sig_atomic_t telling = 0;

void dump() {
  std::array<char, 80> line{};
  const int size =
      std::snprintf(line.data(), line.size(), "\nPython's stacks in process %d:\n", ::getpid());
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, line.data(), static_cast<std::size_t>(size));
  if (_Py_DumpTracebackThreads != nullptr)
    _Py_DumpTracebackThreads(STDERR_FILENO, nullptr, PyGILState_GetThisThreadState());
}

void on_signal(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  if (telling == 0) {
    telling = 1;  // a crash in here is told without it
    dump();
    telling = 0;
  }
  errno = error;
  if (signal == SIGUSR2) return;
  const struct sigaction& next = before[static_cast<std::size_t>(signal)];
  if ((next.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) ::signal(signal, SIG_DFL);
  if ((next.sa_flags & SA_SIGINFO) != 0) return next.sa_sigaction(signal, info, context);
  if (next.sa_handler != SIG_DFL && next.sa_handler != SIG_IGN) return next.sa_handler(signal);
  ::sigaction(signal, &next, nullptr);
  ::raise(signal);
}

}  // namespace

void tell_stacks() {
  for (const int signal : kSignals) {
    struct sigaction action {
    }, was{};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    if (signal == SIGUSR2) action.sa_flags |= SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, nullptr, &was);
    if ((was.sa_flags & SA_SIGINFO) != 0 && was.sa_sigaction == on_signal) continue;
    before[static_cast<std::size_t>(signal)] = was;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace paribus::python
