// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "driver/directory.h"
#include "driver/sharing.h"
#include "driver/work.h"

namespace paribus::driver {

/// Of some trials, those that are not done, each once; what failed begins anew.
struct Missing {
  std::vector<Trial> to_run;
  std::size_t done = 0;
};
Missing missing(std::vector<Trial> trials, const StudyDirectory& directory, bool fresh);

/// The trials of a study whose list is known beforehand, all at once; those that begin alike begin
/// together.
class ListSource final : public Source {
 public:
  /// `trials`: what is to be run, in order. `shared`: of each, with whom it shares its beginning.
  ListSource(const StudyDirectory& directory, std::vector<Trial> trials,
             const std::vector<Shared>& shared);

  std::vector<Work> more() override { return std::exchange(works_, {}); }
  void ended(const Trial& trial, const Outcome& outcome) override;

 private:
  const StudyDirectory& directory_;
  std::vector<Work> works_;
  std::map<std::string, std::string> parent_of_;       // by id
  std::map<std::string, std::int64_t> children_left_;  // by id of the parent
};

}  // namespace paribus::driver
