// SPDX-License-Identifier: Apache-2.0
#include "geometry.h"

/// Turned, scaled, sheared, moved and seen from aside, all in one matrix and one interpolation, so
/// that pixels are blurred once; images, masks, points and boxes of an item together. Each is as in
/// the transform of its name. An item is changed by all that are not switched off, or by none.
struct Affine : paribus::Transform {
  struct Params {
    double rotate = 10;
    double zoom_min = 1;
    double zoom_max = 1.1;
    double shear = 0;
    double shift = 0;
    double warp = 0.2;
    double p = 0.75;
    std::string_view mode = "reflect";

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("rotate", &Params::rotate, "the greatest angle; 0: none")
              .at_least(0)
              .at_most(180)
              .unit("degree")
              .live(),
          paribus::field("zoom_min", &Params::zoom_min, "the least factor")
              .above(0.01)
              .at_most(100)
              .live(),
          paribus::field("zoom_max", &Params::zoom_max, "the greatest factor")
              .above(0.01)
              .at_most(100)
              .live(),
          paribus::field("shear", &Params::shear, "the greatest angle by which rows lean; 0: none")
              .at_least(0)
              .at_most(80)
              .unit("degree")
              .live(),
          paribus::field("shift", &Params::shift, "the greatest part of the side; 0: none")
              .at_least(0)
              .at_most(1)
              .live(),
          paribus::field("warp", &Params::warp, "how far aside it is seen from; 0: not")
              .at_least(0)
              .at_most(0.45)
              .live(),
          paribus::field("p", &Params::p, "probability that an item is changed")
              .at_least(0)
              .at_most(1)
              .live(),
          paribus::field("mode", &Params::mode, "what lies outside the image")
              .one_of("reflect", "border", "zero")};
    }
  } params;

  paribus::DataSpec setup(paribus::DataSpec in) override {
    static_cast<void>(paribus::image_size(in, "transform/affine"));
    if (params.zoom_min <= params.zoom_max) return in;
    throw paribus::Error("transform/affine: zoom_min is above zoom_max, got " +
                         std::to_string(params.zoom_min) + " and " +
                         std::to_string(params.zoom_max));
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(paribus::Batch& batch, const paribus::Stream& stream) const override {
    namespace geometry = paribus::geometry;
    if (params.p <= 0) return;
    geometry::apply(batch, stream, geometry::outside(params.mode),
                    [&](paribus::Draws& draws, paribus::ImageSize size) {
                      return draws.uniform() < params.p ? drawn(draws, size) : geometry::Matrix{};
                    });
  }

 private:
  /// All numbers are drawn, used or not: switching one off leaves the others as they are.
  [[nodiscard]] paribus::geometry::Matrix drawn(paribus::Draws& draws,
                                                paribus::ImageSize size) const {
    namespace geometry = paribus::geometry;
    const auto width = static_cast<double>(size.width), height = static_cast<double>(size.height);
    const double angle = geometry::symmetric(draws, params.rotate);
    const double factor = params.zoom_min + (params.zoom_max - params.zoom_min) * draws.uniform();
    const double x = (draws.uniform() - 0.5) * width, y = (draws.uniform() - 0.5) * height;
    const double lean = geometry::symmetric(draws, params.shear);
    const double right = geometry::symmetric(draws, params.shift) * width;
    const double down = geometry::symmetric(draws, params.shift) * height;
    const double aside = geometry::symmetric(draws, params.warp);
    const double above = geometry::symmetric(draws, params.warp);
    geometry::Matrix all;
    if (params.rotate > 0) all = all * geometry::rotation(angle);
    if (factor != 1) all = all * geometry::zoom(factor, x, y);
    if (params.shear > 0) all = all * geometry::shear(lean);
    if (params.shift > 0) all = all * geometry::shift(right, down);
    if (params.warp > 0) all = all * geometry::perspective(aside, above, size);
    return all;
  }
};

PARIBUS_PART(Affine, "affine",
             "turned, scaled, sheared, moved and seen from aside, in one interpolation")
