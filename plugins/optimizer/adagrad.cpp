// SPDX-License-Identifier: Apache-2.0
#include <paribus/generic_optimizer.h>

/// w -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps), s the sum of all g^2 so far (Duchi, Hazan,
/// Singer 2011), as in PyTorch.
struct Adagrad : paribus::GenericOptimizer {
  struct Params {
    double lr = 1e-2, lr_decay = 0, initial = 0, eps = 1e-10, weight_decay = 0;
    static constexpr auto fields() {
      return std::tuple{
          paribus::rate_field(&Params::lr),
          paribus::field("lr_decay", &Params::lr_decay,
                         "the rate falls as 1 / (1 + (t - 1) lr_decay)")
              .at_least(0)
              .live(),
          paribus::field("initial", &Params::initial, "what the sum begins with").at_least(0),
          paribus::eps_field(&Params::eps), paribus::l2_field(&Params::weight_decay)};
    }
  } params;
  paribus::Kept sum{"sum"};

  void update(const paribus::Update& u) override {
    const paribus::Tensors grads = decayed_grads(u);
    if (u.t == 1) u[sum] += params.initial;
    u[sum] += 1.0 * grads * grads;
    const double lr = u.lr / (1 + static_cast<double>(u.t - 1) * params.lr_decay);
    u.weights -= lr * grads / (sqrt(u[sum]) + params.eps);
  }
};
PARIBUS_PART(Adagrad, "adagrad",
             "gradients over the root of the sum of their squares (Duchi et al. 2011)")
