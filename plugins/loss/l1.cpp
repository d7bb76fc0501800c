// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/l1_loss.h>

#include "targets.h"

/// Mean over all elements of |output - target|.
struct L1 : paribus::Loss {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    const auto [output, target] = paribus::losses::real_values("l1", outputs, batch);
    return at::l1_loss(output, target);
  }
};
PARIBUS_PART(L1, "l1", "mean absolute error")
