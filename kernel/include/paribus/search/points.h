// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "paribus/error.h"
#include "paribus/search.h"

// What searches share, compiled into each of them: from random numbers to choices along axes.

namespace paribus::search {

inline std::string name_of(const Axis& axis) {
  return axis.addresses.empty() ? "" : axis.addresses.front();
}

/// Throws Error in the name of `who` ("search/random") where an axis can't be sampled.
inline void check_axes(const std::string& who, const std::vector<Axis>& axes) {
  for (const Axis& axis : axes) {
    const std::string name = name_of(axis);
    if (axis.count > 0xFFFFFFFFLL) throw Error(who + ": '" + name + "' has too many values");
    if (axis.count > 0) continue;
    const std::string got =
        ", got " + std::to_string(axis.low) + " to " + std::to_string(axis.high);
    if (!std::isfinite(axis.low) || !std::isfinite(axis.high) || axis.low > axis.high)
      throw Error(who + ": the range of '" + name + "' is empty" + got + ", expected low <= high");
    if (axis.log && axis.low <= 0) {
      throw Error(who + ": the range of '" + name + "' has no logarithm" + got +
                  ", expected low > 0");
    }
    if (axis.integer && std::ceil(axis.low) > std::floor(axis.high))
      throw Error(who + ": the range of '" + name + "' holds no integer" + got);
  }
}

/// The value that lies at the share `u` of a range, by its logarithm where the axis says so. Every
/// integer has the same width, the ends too.
inline Choice value_at(const Axis& axis, double u) {
  const double least = axis.integer ? std::ceil(axis.low) : axis.low;
  const double most = axis.integer ? std::floor(axis.high) : axis.high;
  const double low = axis.integer ? least - 0.5 : least;
  const double high = axis.integer ? most + 0.5 : most;
  const double value = axis.log ? std::exp(std::log(low) + u * (std::log(high) - std::log(low)))
                                : low + u * (high - low);
  return {.value = std::clamp(axis.integer ? std::round(value) : value, least, most)};
}

/// The choice at `u` in [0, 1): the list's entries, or the range's values, in order.
inline Choice choice_at(const Axis& axis, double u) {
  if (axis.count == 0) return value_at(axis, u);
  const auto index = static_cast<std::int64_t>(u * static_cast<double>(axis.count));
  return {.index = std::min(index, axis.count - 1)};
}

/// Of a list any entry, of a range any value.
inline Choice random_choice(const Axis& axis, Draws& draws) {
  if (axis.count > 0) return {.index = draws.below(static_cast<std::uint32_t>(axis.count))};
  return value_at(axis, draws.uniform());
}

/// Point `number` of a random search. Its draws are addressed by number and axis.
inline Point random_point(const std::vector<Axis>& axes, const Stream& stream,
                          std::int64_t number) {
  Point point;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Draws draws = stream.item(number, static_cast<std::int64_t>(i));
    point.push_back(random_choice(axes[i], draws));
  }
  return point;
}

}  // namespace paribus::search
