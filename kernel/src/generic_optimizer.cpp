// SPDX-License-Identifier: Apache-2.0
#include "paribus/generic_optimizer.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

namespace paribus {

Tensors Update::operator[](const Kept& kept) const {
  return kept.make ? group.slot(owner, kept.name, kept.make) : group.slot(owner, kept.name);
}

/// Weights that had no gradient at times are updated apart, so that a formula has one count.
void GenericOptimizer::step(Group& group) {
  const auto act = [&] {
    update({.weights = group.weights,
            .grads = group.grads,
            .lr = rate() * group.lr_scale,
            .weight_decay = decay() * group.decay_scale,
            .t = group.steps.front(),
            .group = group,
            .owner = *this});
  };
  const std::int64_t first = group.steps.front();
  if (std::all_of(group.steps.begin(), group.steps.end(), [&](auto t) { return t == first; }))
    return act();
  std::map<std::int64_t, std::vector<std::size_t>> by_count;
  for (std::size_t i = 0; i < group.steps.size(); ++i) by_count[group.steps[i]].push_back(i);
  for (const auto& [count, places] : by_count) group.among(places, act);
}

void average(const Tensors& mean, const Tensors& x, double beta) { mean.go_towards(x, 1 - beta); }

void average_square(const Tensors& mean, const Tensors& x, double beta) {
  mean *= beta;
  mean += (1 - beta) * x * x;
}

double debias(double beta, std::int64_t t) { return 1 - std::pow(beta, static_cast<double>(t)); }

void decay_weights(const Update& u) {
  if (u.weight_decay != 0) u.weights *= 1 - u.lr * u.weight_decay;
}

Tensors decayed_grads(const Update& u) {
  return u.weight_decay == 0 ? u.grads : Tensors(u.grads + u.weight_decay * u.weights);
}

at::Tensor trust_ratio(const Tensors& weights, const Tensors& step) {
  const at::Tensor of_weights = norms(weights), of_step = norms(step);
  return at::where((of_weights > 0).logical_and(of_step > 0), of_weights / of_step, 1.0);
}

}  // namespace paribus
