// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "points.h"

/// Percentage of correct keypoints, from 0 to 1: the share of points that are at most `within` of
/// the image's longer side away from where they should be (after Yang and Ramanan 2013, who measure
/// by the object's box).
struct Pck : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::maximize;
  static constexpr std::string_view kUnit = "1";
  struct Params {
    double within = 0.05;
    static constexpr auto fields() {
      return std::tuple{paribus::field("within", &Params::within,
                                       "the greatest distance, as a part of the longer side")
                            .above(0)
                            .at_most(1)};
    }
  } params;

  void reset() override { mean_.reset(); }
  void update(const paribus::Outputs& outputs, const paribus::Batch& batch,
              const at::Tensor& /*loss*/) override {
    const paribus::ImageSize size = paribus::metrics::pixels("pck", batch);
    const auto longer = static_cast<double>(std::max(size.height, size.width));
    const at::Tensor distance = paribus::metrics::distances("pck", outputs, batch, size);
    mean_.add(distance.le(params.within * longer).to(at::kDouble));
  }
  double value() const override { return mean_.value(); }

 private:
  paribus::metrics::Mean mean_;
};
PARIBUS_PART(Pck, "pck", "share of points that are found, within a part of the image's side")
