// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstdio>

#include "my_part.cpp"

/// Equal scores of two classes: p = 1/2, so the loss is (1/2)^gamma log 2.
int main() {
  paribus::Batch batch;
  batch.targets = {{at::tensor({0, 1}, at::kLong), &paribus::kCategory}};
  MyPart loss;
  loss.params.gamma = 3;
  const auto got = loss(paribus::Outputs(at::zeros({2, 2})), batch).item<double>();
  const double expected = std::log(2.0) / 8;
  if (std::abs(got - expected) < 1e-6) return 0;
  std::fprintf(stderr, "got %g, expected %g\n", got, expected);
  return 1;
}
