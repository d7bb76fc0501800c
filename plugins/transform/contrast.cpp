// SPDX-License-Identifier: Apache-2.0
#include "colour.h"

/// Multiplies how far an item's bytes are from its mean grey by a factor from 1 - max to 1 + max
/// (torchvision's adjust_contrast).
struct Contrast : paribus::colour::Blended<Contrast> {
  static constexpr const char* kWho = "transform/contrast";
  static constexpr bool kColours = false;
  static auto other(const paribus::colour::Pixels& pixels) {
    return [grey = paribus::colour::mean_grey(pixels)](std::int64_t) { return grey; };
  }
};

PARIBUS_PART(Contrast, "contrast", "makes items flatter or starker at random")
