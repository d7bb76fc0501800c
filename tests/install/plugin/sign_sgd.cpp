// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_sign.h>
#include <paribus/optimizer.h>

/// w -= lr sign(g) (Bernstein et al. 2018).
struct SignSgd : paribus::Optimizer {
  struct Params {
    double lr = 0.001;
    static constexpr auto fields() {
      return std::tuple{paribus::field("lr", &Params::lr, "learning rate").at_least(0).live()};
    }
  } params;

  void step(paribus::Group& g) override {
    at::_foreach_add_(g.weights, at::_foreach_sign(g.grads), -params.lr * g.lr_scale);
  }
};
PARIBUS_PART(SignSgd, "sign_sgd", "steps of one size, by the sign of the gradient")
