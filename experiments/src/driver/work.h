// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/trial.h"

namespace paribus::driver {

/// A trial, to be trained up to where it is wanted.
struct Work {
  Trial trial;
  std::int64_t until = 0;             // step at which it pauses; 0: its end
  std::vector<std::int64_t> save_at;  // steps whose checkpoints other trials begin with
  std::string from;                   // the trial whose checkpoint it begins with; "": none
  std::int64_t from_step = 0;

  /// Steps that are left of it, as far as the plan knows.
  [[nodiscard]] std::int64_t steps() const {
    const std::int64_t end = until > 0 ? until : trial.steps;
    return end > from_step ? end - from_step : 0;
  }
};

/// Where work comes from: a list, a search. What it gives is a function of how trials end, never of
/// when.
class Source {
 public:
  virtual ~Source() = default;

  /// Work that could not begin before and can now, in logical order.
  virtual std::vector<Work> more() = 0;
  /// Work has ended, for good: it is not tried again.
  virtual void ended(const Trial& trial, const Outcome& outcome) = 0;
};

}  // namespace paribus::driver
