// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "paribus/factory.h"
#include "paribus/schedule.h"

namespace paribus {

/// The schedules of a trial and what they drive. Thread-safe after construction: schedules are
/// const functions.
class Drives {
 public:
  Drives(const std::vector<ScheduleSpec>& schedules, const PartFactory& factory);

  /// How training is divided; known once the data are.
  void set_lengths(std::int64_t epochs, std::int64_t batches) {
    epochs_ = epochs, batches_ = batches;
  }

  /// What a schedule is told of batch `index` of `epoch` in a training of that length; the base is
  /// left at 0.
  static Progress progress(std::int64_t epochs, std::int64_t batches, std::int64_t epoch,
                           std::int64_t index);

  /// Tells each schedule whose target lies in `instance` its base value. Throws Error for a target
  /// that isn't live or no number.
  void attach(const Instance& instance);
  /// Sets the driven parameters within `instance` for batch `index` of `epoch`.
  void drive(const Instance& instance, std::int64_t epoch, std::int64_t index) const;
  /// Targets that no attached instance has.
  [[nodiscard]] std::vector<std::string> unattached() const;
  /// Present value of each driven parameter that lies in `instance`, by target.
  [[nodiscard]] std::vector<std::pair<std::string, double>> values(const Instance& instance) const;

 private:
  struct Drive {
    std::string target;
    std::unique_ptr<Instance> schedule;
    double base = 0;
    bool attached = false;
  };
  std::vector<Drive> drives_;
  std::int64_t epochs_ = 0;
  std::int64_t batches_ = 0;
};

}  // namespace paribus
