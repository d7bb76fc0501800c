// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "paribus/error.h"

namespace paribus::driver {

/// Thrown by whatever waits when the person pressed Ctrl-C and nothing has to be brought to an
/// orderly end.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted") {}
};

/// Counts SIGINT, SIGTERM and SIGHUP from here on instead of dying of them.
void watch_interrupts();
/// How often the person (or the system) asked to end.
int interrupts();
/// Throws Interrupted if that is more than none.
void check_interrupts();

}  // namespace paribus::driver
