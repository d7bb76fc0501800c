// SPDX-License-Identifier: Apache-2.0
#include "driver/interrupt.h"

#include <csignal>

namespace paribus::driver {

namespace {

volatile std::sig_atomic_t count = 0;

void note(int /*signal*/) { count = count + 1; }

}  // namespace

void watch_interrupts() {
  struct sigaction action {};
  action.sa_handler = note;  // without SA_RESTART: a wait in poll ends at once
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN || signal != SIGHUP)
      sigaction(signal, &action, nullptr);  // nohup stays nohup
  }
}

int interrupts() { return count; }

void check_interrupts() {
  if (count > 0) throw Interrupted();
}

}  // namespace paribus::driver
