// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/tensor.h>
#include <paribus/groups.h>

#include <cstdio>

#include "my_part.cpp"

/// One weight, two steps, beside what the formula gives by hand.
int main() {
  const at::Tensor weight = at::tensor({1.0, 2.0}).set_requires_grad(true);
  paribus::Groups groups({{"weight", weight}});
  MyPart optimizer;
  optimizer.params.lr = 0.5;
  weight.mutable_grad() = at::tensor({3.0, -3.0});
  groups.step(optimizer);  // 1 - 0.5, 2 + 0.5
  weight.mutable_grad() = at::tensor({-1.0, 1.0});
  groups.step(optimizer);  // the mean keeps its sign: 0.5 - 0.5, 2.5 + 0.5
  const at::Tensor got = weight.detach();
  if (got.equal(at::tensor({0.0, 3.0}))) return 0;
  std::fprintf(stderr, "got %g %g, expected 0 3\n", got[0].item<double>(), got[1].item<double>());
  return 1;
}
