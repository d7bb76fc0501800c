// SPDX-License-Identifier: Apache-2.0
#include "colour.h"

/// Multiplies an item's bytes by a factor from 1 - max to 1 + max (torchvision's
/// adjust_brightness).
struct Brightness : paribus::colour::Blended<Brightness> {
  static constexpr const char* kWho = "transform/brightness";
  static constexpr bool kColours = false;
  static auto other(const paribus::colour::Pixels& /*pixels*/) {
    return [](std::int64_t) { return 0.0F; };
  }
};

PARIBUS_PART(Brightness, "brightness", "makes items darker or brighter at random")
