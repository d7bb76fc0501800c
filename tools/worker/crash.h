// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "driver/progress.h"

namespace paribus::worker {

/// In a trial: from now on a crash (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) and a call of exit()
/// are told in `distress`, and the process waits for a bounded time to have its stacks read before
/// it dies of what it met. A process that the trial forks dies as any other.
void tell_of_crashes(driver::Distress& distress);

/// In the zygote: what the first look at a stack loads is loaded, for the trials to inherit.
void prepare_own_view();

/// Wakes a trial that waits in its distress.
void answer(driver::Distress& distress, driver::Distress::State state);

}  // namespace paribus::worker
