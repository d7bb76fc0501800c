// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/check.h"
#include "driver/directory.h"
#include "driver/list_source.h"
#include "driver/plan_log.h"
#include "driver/work.h"

namespace paribus::driver {

/// The trials of a study with seeds = "until decided": those of the first seeds, and when all have
/// ended, the next seed of each arm that is not decided, and so on. A round waits for all its
/// trials, so what is bought depends on their results alone.
class SeedSource final : public Source {
 public:
  /// `first`: what is to be run of the trials that `checked` has.
  SeedSource(CheckedStudy& checked, const StudyDirectory& directory, PlanLog& plan, Engine& engine,
             Observer& observer, bool fresh, std::vector<Trial> first);

  std::vector<Work> more() override;
  void ended(const Trial& trial, const Outcome& outcome) override;

 private:
  void begin_round(std::vector<Trial> trials, const std::vector<Shared>& shared);
  void look();
  bool buy(const std::vector<std::string>& arms);

  CheckedStudy& checked_;
  const StudyDirectory& directory_;
  PlanLog& plan_;
  Engine& engine_;
  Observer& observer_;
  const bool fresh_;  // what the directory has of a trial is forgotten
  std::optional<ListSource> round_;
  std::set<std::string> under_way_;  // ids
  bool is_over_ = false;
};

}  // namespace paribus::driver
