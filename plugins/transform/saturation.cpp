// SPDX-License-Identifier: Apache-2.0
#include "colour.h"

/// Multiplies how far each pixel's colours are from its grey by a factor from 1 - max to 1 + max
/// (torchvision's adjust_saturation).
struct Saturation : paribus::colour::Blended<Saturation> {
  static constexpr const char* kWho = "transform/saturation";
  static constexpr bool kColours = true;
  static auto other(const paribus::colour::Pixels& pixels) {
    return [&pixels](std::int64_t k) { return pixels.grey(k); };
  }
};

PARIBUS_PART(Saturation, "saturation", "makes colours of items paler or stronger at random")
