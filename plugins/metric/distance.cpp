// SPDX-License-Identifier: Apache-2.0
#include "points.h"

/// Mean over all points of the distance between prediction and target, in pixels of the images that
/// the model sees.
struct Distance : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::minimize;
  static constexpr std::string_view kUnit = "px";
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  void reset() override { mean_.reset(); }
  void update(const paribus::Outputs& outputs, const paribus::Batch& batch,
              const at::Tensor& /*loss*/) override {
    const paribus::ImageSize size = paribus::metrics::pixels("distance", batch);
    mean_.add(paribus::metrics::distances("distance", outputs, batch, size));
  }
  double value() const override { return mean_.value(); }

 private:
  paribus::metrics::Mean mean_;
};
PARIBUS_PART(Distance, "distance", "mean distance of points from where they should be, in pixels")
