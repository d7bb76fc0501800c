// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <paribus/generic_optimizer.h>

/// The inner optimizer's step with the gradient at w + e, e = rho g / |g| over all weights
/// together: where the loss is worst nearby (Foret, Kleiner, Mobahi, Neyshabur 2021). Adaptive: e =
/// rho w^2 g / |w g| (Kwon, Kim, Park, Choi 2021). A second pass over each batch; rho = 0 makes
/// none.
struct Sam : paribus::Optimizer {
  struct Params {
    paribus::Part<paribus::Optimizer> inner{"sgd"};
    double rho = 0.05;
    bool adaptive = false;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("inner", &Params::inner, "the optimizer that makes the steps"),
          field("rho", &Params::rho, "how far from the weights to look; 0: off").at_least(0).live(),
          field("adaptive", &Params::adaptive, "farther along larger weights (ASAM)")};
    }
  } params;

  [[nodiscard]] bool needs_passes() const override { return true; }

  void step(paribus::Group& g) override {
    if (params.rho == 0) return params.inner->step(g);
    const paribus::Tensors weights = g.weights;
    const paribus::Made before = copy(weights);
    climb(weights, g.grads);
    const bool good = g.pass_again(*this);
    weights.become(before);
    if (good) params.inner->step(g);
  }
  void evaluation(paribus::Group& g, bool on) override { params.inner->evaluation(g, on); }

 private:
  void climb(const paribus::Tensors& weights, const paribus::Tensors& grads) const {
    constexpr double kTiny = 1e-12;
    paribus::Tensors uphill = grads, way = grads;
    if (params.adaptive) uphill = abs(weights) * grads, way = uphill * abs(weights);
    const at::Tensor scale = params.rho / (at::linalg_vector_norm(norms(uphill)) + kTiny);
    weights += way * scale.expand({static_cast<std::int64_t>(way.size())});
  }
};
PARIBUS_PART(Sam, "sam", "gradients from where the loss is worst nearby (Foret et al. 2021)")
