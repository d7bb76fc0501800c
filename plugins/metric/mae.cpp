// SPDX-License-Identifier: Apache-2.0
#include "errors.h"

/// Mean over all elements of |output - target|, in the target's unit.
struct Mae : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::minimize;
  static constexpr std::string_view kUnit = "1";
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  void reset() override { mean_.reset(); }
  void update(const paribus::Outputs& outputs, const paribus::Batch& batch,
              const at::Tensor& /*loss*/) override {
    const auto [output, target] = paribus::metrics::real_values("mae", outputs, batch);
    mean_.add(output.sub(target).abs());
  }
  double value() const override { return mean_.value(); }

 private:
  paribus::metrics::Mean mean_;
};
PARIBUS_PART(Mae, "mae", "mean absolute error, in the target's unit")
