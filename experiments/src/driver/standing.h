// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "driver/directory.h"

namespace paribus::driver {

/// How far a trial has come, as its journal says.
struct Standing {
  std::string status;  // as StudyDirectory::status
  std::int64_t steps = 0;

  /// Whether what it measured up to a step is there, the validation at that step included.
  [[nodiscard]] bool has_reached(std::int64_t step) const {
    return status == "done" || steps > step || (status == "paused" && steps == step);
  }
  /// Whether it goes on from what it has.
  [[nodiscard]] bool is_begun() const {
    return status == "begun" || status == "stopped" || status == "paused";
  }
};

Standing standing_of(const StudyDirectory& directory, const std::string& trial);

enum class Which : std::uint8_t { last, least, greatest };

/// A metric of a trial up to a step; NaN where it has none, or one that isn't finite.
double value_of(const StudyDirectory& directory, const std::string& trial,
                const std::string& metric, std::int64_t until, Which which);

}  // namespace paribus::driver
