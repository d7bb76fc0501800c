// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/zeros.h>

#include <cstdio>

#include "gradient_noise.cpp"

/// The deviation that is left of noise drawn at step t.
double deviation_at(std::int64_t t) {
  const at::Tensor weight = at::zeros({10000}).set_requires_grad(true);
  weight.mutable_grad() = at::zeros({10000});
  paribus::Groups groups({{"weight", weight}});
  paribus::Fit fit;
  fit.groups = &groups;
  fit.step = t;
  GradientNoise callback;
  callback.params.eta = 0.04;
  callback.params.gamma = 2;
  callback.before_step(fit);
  return weight.grad().std().item<double>();
}

int main() {
  const double first = deviation_at(0), later = deviation_at(9);  // 0.2 and a tenth of it
  if (std::abs(first - 0.2) < 0.006 && std::abs(later - 0.02) < 0.0006) return 0;
  std::fprintf(stderr, "got deviations %g and %g, expected 0.2 and 0.02\n", first, later);
  return 1;
}
