// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "registry/schema.h"

namespace paribus::check {

/// Values of parameters, as TOML has them.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// A part under test.
struct Subject {
  registry::PartSchema part;
  Settings with;               // other than the defaults, in all that is run
  Settings off;                // by which it does nothing; empty: not known
  std::filesystem::path base;  // a study to put it in; empty: one of ours
  int seconds = 20;            // the most for the steps in which its memory is watched

  [[nodiscard]] std::string name() const { return part.kind + "/" + part.name; }
  /// In trials; a search chooses them, a tracker looks on, and neither is in one.
  [[nodiscard]] bool trains() const { return part.kind != "search" && part.kind != "tracker"; }
};

/// What the part is held against where it is switched off.
enum class Against {
  nothing,  // it can't be left out: without a model there is no training
  without,  // the study without the part
  inner     // the part that it wraps
};
Against against(const registry::PartSchema& part);

inline constexpr const char* kPartArm = "part";
inline constexpr const char* kOffArm = "off";
inline constexpr const char* kWithoutArm = "without";

/// Studies that put the part to use, the likeliest first: which one fits is for `paribus check` to
/// say. With an arm in which it stands, and where it can be switched off, one in which it is and
/// one without it.
std::vector<std::string> studies_for(const Subject& subject);

}  // namespace paribus::check
