// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "study/config.h"
#include "study/merge.h"
#include "study/problems.h"

namespace paribus {

/// One arm, before it is put over the base: what each file and each -s says of it, in that order.
struct ArmText {
  std::string name;
  Place place;
  std::vector<Config> overlays;
};

/// A study's texts put together: `extends` from the farthest file on, then the study, then -s.
struct Document {
  Config root;  // everything but arms and sweep
  std::vector<ArmText> arms;
  Config
      sweep;  // addresses in order, nested tables opened up into them; `search` and `zip` besides
  Place arms_place, sweep_place;
  bool has_arms = false, has_sweep = false;

  [[nodiscard]] const ArmText* arm(const std::string& name) const;
};

/// Throws StudyError at once where a file can't be read, isn't TOML or extends itself; other
/// problems are gathered.
Document read_document(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                       Problems& problems);

}  // namespace paribus
