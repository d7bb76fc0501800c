// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstdio>

#include "my_part.cpp"

/// Equal scores of four classes: a quarter each, however the items are split into batches.
int main() {
  MyPart metric;
  metric.reset();
  for (const std::int64_t items : {3, 1}) {
    paribus::Batch batch;
    metric.update(paribus::Outputs(at::zeros({items, 4})), batch, {});
  }
  if (std::abs(metric.value() - 0.25) < 1e-12) return 0;
  std::fprintf(stderr, "got %g, expected 0.25\n", metric.value());
  return 1;
}
