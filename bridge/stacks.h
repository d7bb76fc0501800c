// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace paribus::python {

/// From now on a crash of this process, and SIGUSR2, write Python's stacks to stderr, under a line
/// that names the process (tools/worker/python_place.h reads it); then whoever handled it before
/// does.
void tell_stacks();

}  // namespace paribus::python
