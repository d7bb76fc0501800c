// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_sign.h>
#include <paribus/optimizer.h>

/// m = beta m + (1 - beta) g; w -= lr sign(m) (Signum, Bernstein et al. 2018).
struct MyPart : paribus::Optimizer {
  struct Params {
    double lr = 0.001;
    double beta = 0.9;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("lr", &Params::lr, "learning rate").at_least(0).live(),
          paribus::field("beta", &Params::beta, "share of the mean that stays").at_least(0).live()};
    }
  } params;

  void step(paribus::Group& g) override {
    const auto& mean = g.slot(*this, "mean");  // zeros at first; the kernel keeps and saves it
    at::_foreach_lerp_(mean, g.grads, 1 - params.beta);
    at::_foreach_add_(g.weights, at::_foreach_sign(mean), -params.lr * g.lr_scale);
  }
};
PARIBUS_PART(MyPart, "my_part", "steps of one size, by the sign of the mean gradient")
