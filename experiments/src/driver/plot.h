// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace paribus::driver {

/// Points (x, y) as lines of text, x on a logarithmic scale, axes labelled; `mark` is an x to point
/// at. Points that aren't finite, or whose x isn't positive, are left out; "" if none is left.
std::string log_plot(const std::vector<std::pair<double, double>>& points, double mark, int width,
                     int height);

}  // namespace paribus::driver
