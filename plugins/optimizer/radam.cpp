// SPDX-License-Identifier: Apache-2.0
#include <paribus/generic_optimizer.h>

#include <cmath>

/// Adam whose root is used once its variance is small enough (Liu et al. 2020, "On the variance of
/// the adaptive learning rate and beyond"): r_inf = 2 / (1 - beta2) - 1, r = r_inf - 2 t beta2^t /
/// (1 - beta2^t). While r <= 5, w -= lr m / (1 - beta1^t); then that times sqrt((r - 4) (r - 2)
/// r_inf / ((r_inf - 4) (r_inf - 2) r)) over (sqrt(v) + eps) / sqrt(1 - beta2^t), as in PyTorch.
/// Decay is decoupled.
struct RAdam : paribus::GenericOptimizer {
  struct Params {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
    static constexpr auto fields() {
      return std::tuple{
          paribus::rate_field(&Params::lr),
          paribus::beta_field("beta1", &Params::beta1, "decay of the gradients' average"),
          paribus::beta_field("beta2", &Params::beta2, "decay of their squares' average"),
          paribus::eps_field(&Params::eps), paribus::decoupled_decay_field(&Params::weight_decay)};
    }
  } params;
  paribus::Kept mean{"mean"}, square{"square"};

  void update(const paribus::Update& u) override {
    decay_weights(u);
    average(u[mean], u.grads, params.beta1);
    average_square(u[square], u.grads, params.beta2);
    const double seen = paribus::debias(params.beta2, u.t);
    const double most = 2 / (1 - params.beta2) - 1;
    const double r = most - 2 * static_cast<double>(u.t) * (1 - seen) / seen;
    const double lr = u.lr / paribus::debias(params.beta1, u.t);
    if (r <= 5) {
      u.weights -= lr * u[mean];
      return;
    }
    const double certain =
        std::sqrt((r - 4) * (r - 2) * most / ((most - 4) * (most - 2) * r) * seen);
    u.weights -= lr * certain * u[mean] / (sqrt(u[square]) + params.eps);
  }
};
PARIBUS_PART(RAdam, "radam", "Adam, rectified while its variance is large (Liu et al. 2020)")
