// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/huber_loss.h>

#include "targets.h"

/// Mean over all elements of d^2 / 2 where |d| <= delta and delta (|d| - delta / 2) beyond, d the
/// error (Huber 1964). Divided by delta it is PyTorch's smooth L1 with beta = delta.
struct Huber : paribus::Loss {
  struct Params {
    double delta = 1;
    static constexpr auto fields() {
      return std::tuple{paribus::field("delta", &Params::delta,
                                       "error from which on it grows linearly; 1: smooth L1")
                            .above(0)
                            .live()};
    }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    const auto [output, target] = paribus::losses::real_values("huber", outputs, batch);
    return at::huber_loss(output, target, at::Reduction::Mean, params.delta);
  }
};
PARIBUS_PART(Huber, "huber", "squared for small errors, absolute for large ones (smooth L1)")
