// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/mse_loss.h>

#include "targets.h"

/// Mean over all elements of (output - target)^2.
struct Mse : paribus::Loss {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    const auto [output, target] = paribus::losses::real_values("mse", outputs, batch);
    return at::mse_loss(output, target);
  }
};
PARIBUS_PART(Mse, "mse", "mean squared error")
