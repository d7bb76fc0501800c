// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>

/// Processes that a plugin started and nobody waits for. A process that "reaps" (prctl(2),
/// PR_SET_CHILD_SUBREAPER) becomes the parent of those below it whose own parent has died.
namespace paribus::worker {

/// From now on this process reaps.
void reap_strays();

/// Kills the children of this process that are neither trials nor of its own session: a trial has a
/// session of its own and reaps, so what it left behind came here when it died. Whether there were
/// any: their own children come here when they are gone.
bool kill_strays(const std::function<bool(pid_t)>& is_trial);

/// Kills every process below this one, which reaps, and waits until they are gone; for a bounded
/// time, since the kernel may hold on to one.
void kill_all_below();

}  // namespace paribus::worker
