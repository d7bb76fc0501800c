// SPDX-License-Identifier: Apache-2.0
#include <paribus/generic_optimizer.h>

/// w -= lr g / (sqrt(v) + eps), v a moving average of g^2 (Tieleman and Hinton 2012), as in
/// PyTorch: centred, the root is of v minus the square of the gradients' average (Graves 2013);
/// with momentum the step goes through a velocity.
struct RmsProp : paribus::GenericOptimizer {
  struct Params {
    double lr = 1e-2, alpha = 0.99, eps = 1e-8, momentum = 0, weight_decay = 0;
    bool centered = false;
    static constexpr auto fields() {
      return std::tuple{
          paribus::rate_field(&Params::lr),
          paribus::beta_field("alpha", &Params::alpha, "decay of the squares' average"),
          paribus::eps_field(&Params::eps),
          paribus::beta_field("momentum", &Params::momentum, "share of the velocity that stays"),
          paribus::l2_field(&Params::weight_decay),
          paribus::field("centered", &Params::centered, "divide by the deviation from the mean")};
    }
  } params;
  paribus::Kept square{"square"}, mean{"mean"}, velocity{"velocity"};

  void update(const paribus::Update& u) override {
    const paribus::Tensors grads = decayed_grads(u);
    average_square(u[square], grads, params.alpha);
    const paribus::Made root = spread(u, grads) + params.eps;
    if (params.momentum == 0) {
      u.weights -= u.lr * grads / root;
      return;
    }
    u[velocity] *= params.momentum;
    u[velocity] += 1.0 * grads / root;
    u.weights -= u.lr * u[velocity];
  }

 private:
  paribus::Made spread(const paribus::Update& u, const paribus::Tensors& grads) const {
    if (!params.centered) return sqrt(u[square]);
    average(u[mean], grads, params.alpha);
    return sqrt(u[square] - u[mean] * u[mean]);
  }
};
PARIBUS_PART(RmsProp, "rmsprop", "gradients over the root of their mean square (Hinton 2012)")
