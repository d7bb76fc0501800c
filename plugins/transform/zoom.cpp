// SPDX-License-Identifier: Apache-2.0
#include "geometry.h"

/// Scales an item by a factor from min to max about a place of the image that is drawn, too, as in
/// fastai; images, masks, points and boxes together. The size in pixels stays.
struct Zoom : paribus::Transform {
  struct Params {
    double min = 1;
    double max = 1.1;
    double p = 0.75;
    std::string_view mode = "reflect";

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("min", &Params::min, "the least factor; below 1 things get smaller")
              .above(0.01)
              .at_most(100)
              .live(),
          paribus::field("max", &Params::max, "the greatest factor")
              .above(0.01)
              .at_most(100)
              .live(),
          paribus::field("p", &Params::p, "probability that an item is scaled")
              .at_least(0)
              .at_most(1)
              .live(),
          paribus::field("mode", &Params::mode, "what lies outside the image")
              .one_of("reflect", "border", "zero")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    static_cast<void>(paribus::image_size(in, "transform/zoom"));
    if (params.min <= params.max) return in;
    throw paribus::Error("transform/zoom: min is above max, got " + std::to_string(params.min) +
                         " and " + std::to_string(params.max));
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    namespace geometry = paribus::geometry;
    if (params.p <= 0) return;
    geometry::apply(batch, stream, geometry::outside(params.mode),
                    [&](paribus::Draws& draws, paribus::ImageSize size) {
                      if (draws.uniform() >= params.p) return geometry::Matrix{};
                      const double factor =
                          params.min + (params.max - params.min) * draws.uniform();
                      if (factor == 1) return geometry::Matrix{};
                      const double x = (draws.uniform() - 0.5) * static_cast<double>(size.width);
                      const double y = (draws.uniform() - 0.5) * static_cast<double>(size.height);
                      return geometry::zoom(factor, x, y);
                    });
  }
};

PARIBUS_PART(Zoom, "zoom", "scales items by a random factor about a random place")
