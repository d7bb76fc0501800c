// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "driver/observer.h"

namespace paribus {

/// Shows a run on stderr: on a terminal a line per running trial, redrawn in place; elsewhere plain
/// lines when a trial starts, at every epoch or ten seconds, and at its end. Quiet: only what
/// failed.
std::unique_ptr<driver::Observer> make_display(bool quiet);

/// Colour only where it is wanted: on a terminal, without NO_COLOR, and not with TERM=dumb.
bool wants_colour(int fd);

/// Whether a terminal takes orders to its cursor.
bool is_smart_terminal(int fd);

/// "120 steps/s  4 s left". REQUIRES: rate > 0
std::string pace_text(double rate, double steps_left);

}  // namespace paribus
