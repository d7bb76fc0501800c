// SPDX-License-Identifier: Apache-2.0
#include "geometry.h"

/// Shows an item as if seen from aside: with u and v from -1 to 1 over the image, places are
/// divided by 1 + a u + b v, a and b from -max to max; images, masks, points and
/// boxes together.
struct Warp : paribus::Transform {
  struct Params {
    double max = 0.2;
    double p = 0.75;
    std::string_view mode = "reflect";

    static constexpr auto fields() {
      return std::tuple{paribus::field("max", &Params::max, "how far aside; 0: not")
                            .at_least(0)
                            .at_most(0.45)
                            .live(),
                        paribus::field("p", &Params::p, "probability that an item is warped")
                            .at_least(0)
                            .at_most(1)
                            .live(),
                        paribus::field("mode", &Params::mode, "what lies outside the image")
                            .one_of("reflect", "border", "zero")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    static_cast<void>(paribus::image_size(in, "transform/warp"));
    return in;
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    namespace geometry = paribus::geometry;
    if (params.max == 0 || params.p <= 0) return;
    geometry::apply(batch, stream, geometry::outside(params.mode),
                    [&](paribus::Draws& draws, paribus::ImageSize size) {
                      if (draws.uniform() >= params.p) return geometry::Matrix{};
                      const double x = geometry::symmetric(draws, params.max);
                      return geometry::perspective(x, geometry::symmetric(draws, params.max), size);
                    });
  }
};

PARIBUS_PART(Warp, "warp", "shows items as if seen from aside (perspective)")
