// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tools/report/thin.h"

namespace paribus {

/// A curve as `height` lines of text, of at most `width` columns: dots of a fine grid (braille, or
/// '*' where the terminal knows no more), the least, middle and greatest value at the left, the
/// first and the last step below. `until`: the step at the right end, if that is beyond the last
/// one. No lines where there is no finite value or no room.
std::vector<std::string> curve_lines(const report::Thin& curve, double until, int width, int height,
                                     bool ascii);

}  // namespace paribus
