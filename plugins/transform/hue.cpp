// SPDX-License-Identifier: Apache-2.0
#include "colour.h"

/// Turns the hue of an item's pixels by a part of the circle from -max to max; saturation and value
/// stay (torchvision's adjust_hue).
struct Hue : paribus::Transform {
  struct Params {
    double max = 0.1;
    double p = 0.75;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("max", &Params::max, "the greatest part of the circle; 0: none")
              .at_least(0)
              .at_most(0.5)
              .live(),
          paribus::field("p", &Params::p, "probability that an item is changed")
              .at_least(0)
              .at_most(1)
              .live()};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    paribus::colour::check(in, "transform/hue", true);
    return in;
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    namespace colour = paribus::colour;
    if (params.max == 0 || params.p <= 0) return;
    colour::each_item(batch, stream, "transform/hue",
                      [&](const colour::Pixels& pixels, paribus::Draws& draws) {
                        if (draws.uniform() >= params.p) return;
                        colour::turn_hue(pixels, colour::factor(draws, params.max) - 1);
                      });
  }
};

PARIBUS_PART(Hue, "hue", "turns the colours of items at random")
