// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "paribus/plugin.h"
#include "paribus/random.h"

namespace paribus {

/// One axis of a sweep: either a list of values (several addresses at once when they are zipped,
/// one index for all), or a range that a search may sample.
struct Axis {
  std::vector<std::string> addresses;
  std::int64_t count = 0;    // values in the list; 0: a range only
  double low = 0, high = 0;  // of the range; a list of numbers gives its least and greatest
  bool log = false;          // sample the logarithm uniformly
  bool integer = false;
};

/// What to try along one axis: the index into its list, or a value in its range.
struct Choice {
  std::int64_t index = -1;  // >= 0: this entry of the list
  double value = 0;         // else this value
};

using Point = std::vector<Choice>;  // one Choice for each Axis, in order

/// Proposes which points of a sweep to try. A proposal is a function of the axes and the stream
/// alone, never of time or of how many trials run side by side.
class Search : public PartBase {
 public:
  static constexpr std::string_view kKind = "search";

  /// Throws Error where an axis can't be searched this way (a range without a count, on a grid).
  [[nodiscard]] virtual std::vector<Point> propose(const std::vector<Axis>& axes,
                                                   const Stream& stream) const = 0;

  template <class T>
  static constexpr void describe(manifest_detail::Text& /*out*/, const T* /*part*/) {}
};

}  // namespace paribus
