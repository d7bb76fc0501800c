// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>
#include <paribus/generic_optimizer.h>

/// v = momentum v + lr trust |w| / (|g| + weight_decay |w|) (g + weight_decay w); w -= v, the norms
/// of each tensor of weights (You, Gitman, Ginsburg 2017, "Large batch training of convolutional
/// networks"). Where |w| or |g| is 0 the step is SGD's.
struct Lars : paribus::GenericOptimizer {
  struct Params {
    double lr = 1, momentum = 0.9, trust = 1e-3, weight_decay = 0;
    static constexpr auto fields() {
      return std::tuple{
          paribus::rate_field(&Params::lr),
          paribus::beta_field("momentum", &Params::momentum, "share of the velocity that stays"),
          paribus::field("trust", &Params::trust, "length of a step in lengths of the weights")
              .above(0)
              .live(),
          paribus::l2_field(&Params::weight_decay)};
    }
  } params;
  paribus::Kept velocity{"velocity"};

  void update(const paribus::Update& u) override {
    const at::Tensor w = norms(u.weights), g = norms(u.grads);
    const at::Tensor local = params.trust * w / (g + u.weight_decay * w);
    u[velocity] *= params.momentum;
    u[velocity] += u.lr * (decayed_grads(u) * at::where((w > 0).logical_and(g > 0), local, 1.0));
    u.weights -= u[velocity];
  }
};
PARIBUS_PART(Lars, "lars", "momentum with a rate for each layer (You et al. 2017)")
