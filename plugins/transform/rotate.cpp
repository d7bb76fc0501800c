// SPDX-License-Identifier: Apache-2.0
#include "geometry.h"

/// Turns an item about its middle by an angle from -max to max; images, masks, points and boxes
/// together.
struct Rotate : paribus::Transform {
  struct Params {
    double max = 10;
    double p = 0.75;
    std::string_view mode = "reflect";

    static constexpr auto fields() {
      return std::tuple{paribus::field("max", &Params::max, "the greatest angle; 0: none")
                            .at_least(0)
                            .at_most(180)
                            .unit("degree")
                            .live(),
                        paribus::field("p", &Params::p, "probability that an item is turned")
                            .at_least(0)
                            .at_most(1)
                            .live(),
                        paribus::field("mode", &Params::mode, "what lies outside the image")
                            .one_of("reflect", "border", "zero")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    static_cast<void>(paribus::image_size(in, "transform/rotate"));
    return in;
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    namespace geometry = paribus::geometry;
    if (params.max == 0 || params.p <= 0) return;
    geometry::apply(batch, stream, geometry::outside(params.mode),
                    [&](paribus::Draws& draws, paribus::ImageSize) {
                      if (draws.uniform() >= params.p) return geometry::Matrix{};
                      return geometry::rotation(geometry::symmetric(draws, params.max));
                    });
  }
};

PARIBUS_PART(Rotate, "rotate", "turns items about their middle at random")
