// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/tensor.h>

#include <cstdio>

#include "my_part.cpp"

/// Gradients beyond the limit are cut to it, others stay.
int main() {
  const at::Tensor weight = at::tensor({0.0, 0.0, 0.0}).set_requires_grad(true);
  weight.mutable_grad() = at::tensor({-3.0, 0.5, 3.0});
  paribus::Groups groups({{"weight", weight}});
  paribus::Fit fit;
  fit.groups = &groups;
  MyPart callback;
  callback.params.limit = 2;
  callback.before_step(fit);
  if (weight.grad().equal(at::tensor({-2.0, 0.5, 2.0}))) return 0;
  std::fprintf(stderr, "the gradients aren't -2, 0.5 and 2\n");
  return 1;
}
