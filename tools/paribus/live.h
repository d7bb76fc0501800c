// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "driver/observer.h"

namespace paribus {

/// Shows a run on stderr: on a terminal a line per running trial, redrawn in place; elsewhere plain
/// lines when a trial starts, at every epoch or ten seconds, and at its end. Quiet: only what
/// failed.
std::unique_ptr<driver::Observer> make_display(bool quiet);

/// Colour only where it is wanted: on a terminal, without NO_COLOR, and not with TERM=dumb.
bool wants_colour(int fd);

}  // namespace paribus
