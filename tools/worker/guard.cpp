// SPDX-License-Identifier: Apache-2.0
#include "guard.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forked.h"
#include "strays.h"

namespace paribus::worker {
namespace {

/// As the zygote did, so that the driver can tell what happened to it.
[[noreturn]] void end_as(int status) {
  if (WIFSIGNALED(status)) {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(WTERMSIG(status), SIG_DFL);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
    ::raise(WTERMSIG(status));
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

[[noreturn]] void guard(pid_t zygote, const sigset_t& news) {
  ::prctl(PR_SET_NAME, "paribus-guard");
  ::close_range(0, ~0U, 0);  // the driver's socket, too: its end must be the zygote's to see
  while (true) {
    if (::sigwaitinfo(&news, nullptr) == SIGTERM) {
      kill_all_below();
      ::_exit(1);
    }
    int status = 0;
    for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended != zygote) continue;
      kill_all_below();
      end_as(status);
    }
  }
}

}  // namespace

void leave_a_guard() {
  reap_strays();
  sigset_t news, before;
  ::sigemptyset(&news);
  ::sigaddset(&news, SIGCHLD);
  ::sigaddset(&news, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &news, &before);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // until here it was SIGKILL: no instant is left out
  const pid_t parent = ::getpid();
  const pid_t zygote = ::fork();
  if (zygote > 0) guard(zygote, news);
  if (zygote == 0) {
    die_with_parent(parent);
  } else {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no room for a guard: it can do without
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace paribus::worker
