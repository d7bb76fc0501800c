// SPDX-License-Identifier: Apache-2.0
#include <paribus/generic_optimizer.h>

#include <cmath>

/// u = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay w; w -= lr |w| / |u| u
/// for each tensor of weights (You et al. 2020, "Large batch optimization for deep learning",
/// algorithm 2 with phi the identity). Where a norm is 0 the ratio is 1.
struct Lamb : paribus::GenericOptimizer {
  struct Params {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0.01;
    static constexpr auto fields() {
      return std::tuple{
          paribus::rate_field(&Params::lr),
          paribus::beta_field("beta1", &Params::beta1, "decay of the gradients' average"),
          paribus::beta_field("beta2", &Params::beta2, "decay of their squares' average"),
          paribus::eps_field(&Params::eps),
          paribus::field("weight_decay", &Params::weight_decay,
                         "times the weight, joins the step before its length is set")
              .at_least(0)
              .live()};
    }
  } params;
  paribus::Kept mean{"mean"}, square{"square"};

  void update(const paribus::Update& u) override {
    average(u[mean], u.grads, params.beta1);
    average_square(u[square], u.grads, params.beta2);
    const double scale = std::sqrt(paribus::debias(params.beta2, u.t));
    const paribus::Made root = sqrt(u[square]) + params.eps * scale;
    const paribus::Made step = scale / paribus::debias(params.beta1, u.t) * u[mean] / root;
    step += u.weight_decay * u.weights;
    step *= trust_ratio(u.weights, step);
    u.weights -= u.lr * step;
  }
};
PARIBUS_PART(Lamb, "lamb", "Adam's direction, as long as the weights are (You et al. 2020)")
