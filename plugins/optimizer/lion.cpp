// SPDX-License-Identifier: Apache-2.0
#include <paribus/generic_optimizer.h>

/// w -= lr sign(beta1 m + (1 - beta1) g), then m = beta2 m + (1 - beta2) g (Chen et al. 2023,
/// "Symbolic discovery of optimization algorithms"), with decoupled decay. Every step has the same
/// length, so it wants a rate 3 to 10 times smaller than AdamW's, and as much more decay.
struct Lion : paribus::GenericOptimizer {
  struct Params {
    double lr = 1e-4, beta1 = 0.9, beta2 = 0.99, weight_decay = 0;
    static constexpr auto fields() {
      return std::tuple{
          paribus::rate_field(&Params::lr),
          paribus::beta_field("beta1", &Params::beta1, "share of the average in a step"),
          paribus::beta_field("beta2", &Params::beta2, "decay of the gradients' average"),
          paribus::decoupled_decay_field(&Params::weight_decay)};
    }
  } params;
  paribus::Kept mean{"mean"};

  void update(const paribus::Update& u) override {
    decay_weights(u);
    u.weights -= u.lr * sign(between(u[mean], u.grads, 1 - params.beta1));
    average(u[mean], u.grads, params.beta2);
  }
};
PARIBUS_PART(Lion, "lion", "signs of an average of gradients (Chen et al. 2023)")
