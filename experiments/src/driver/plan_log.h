// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "driver/check.h"
#include "driver/directory.h"
#include "driver/plan_event.h"
#include "journal/journal.h"

namespace paribus::driver {

/// The plan in study.log, which grows as a search goes on. A run that asks for what the log has
/// already leaves it as it is; one that asks for something else writes it anew.
class PlanLog {
 public:
  /// Writes the plan unless it stands there.
  PlanLog(journal::Writer& log, const StudyDirectory& directory, const CheckedStudy& checked,
          nlohmann::json plan);

  /// The trials from number `from` of `checked` on are new.
  void grew(std::size_t from);
  /// Nothing comes any more: what the log has beyond that is void.
  void ends();

 private:
  void write_anew();

  journal::Writer& log_;
  const CheckedStudy& checked_;
  const nlohmann::json plan_;
  const std::size_t first_;         // trials of the plan itself
  std::vector<std::string> known_;  // ids that the log has, after those of the plan itself
  std::size_t met_ = 0;             // of these
  ArmNumbers arms_;
};

}  // namespace paribus::driver
