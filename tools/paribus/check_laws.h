// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "check_study.h"

namespace paribus::check {

enum class Verdict : std::uint8_t {
  kept,
  broken,
  not_known,  // nobody said how to try it, or it can't be tried here
  none        // the law says nothing about such a part, or such a machine
};

std::string_view to_text(Verdict verdict);

/// What a law came to, and what was seen.
struct Finding {
  std::string law;
  Verdict verdict = Verdict::kept;
  std::string seen;
};

struct Report {
  std::string part;  // kind/name
  std::filesystem::path plugin;
  std::vector<Finding> findings;
  double seconds = 0;

  [[nodiscard]] std::size_t count(Verdict verdict) const;
};

/// Holds a part to the laws: it is put into small studies, which the programs that ship run in a
/// folder that is gone afterwards. Whatever the part does, it does in processes of its own.
Report examine(const Subject& subject);

/// What its manifest says is complete and agrees with itself; of the laws the one that runs
/// nothing.
Finding schema_law(const registry::PartSchema& part);

}  // namespace paribus::check
