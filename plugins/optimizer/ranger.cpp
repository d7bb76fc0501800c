// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <paribus/generic_optimizer.h>

#include <numeric>

/// RAdam inside Lookahead, on gradients without their mean over all dimensions but the first
/// (Wright 2019; gradient centralization: Yong et al. 2020). Every k steps s += alpha (w - s), w =
/// s; the slow weights s are validated. alpha = 1 without centralizing is the inner optimizer.
/// Wright's inner settings: beta1 = 0.95, eps = 1e-5.
struct Ranger : paribus::Optimizer {
  struct Params {
    paribus::Part<paribus::Optimizer> inner{"radam"};
    int k = 6;
    double alpha = 0.5;
    bool centralize = true;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{field("inner", &Params::inner, "the optimizer that makes the steps"),
                        field("k", &Params::k, "inner steps for each slow one").at_least(1),
                        field("alpha", &Params::alpha, "share of the way that the slow weights go")
                            .above(0)
                            .at_most(1)
                            .live(),
                        field("centralize", &Params::centralize, "take the mean off gradients")};
    }
  } params;

  void step(paribus::Group& g) override {
    const paribus::Tensors slow = g.slot(*this, "slow", paribus::Group::Init::copy);
    if (params.centralize) centralize(g.grads);
    params.inner->step(g);
    if (g.step % params.k != 0) return;
    if (params.alpha == 1) {
      slow.become(g.weights);  // bitwise, what rounding isn't sure to be
      return;
    }
    slow.go_towards(g.weights, params.alpha);
    paribus::Tensors(g.weights).become(slow);
  }
  void evaluation(paribus::Group& g, bool on) override {
    if (params.alpha == 1) return params.inner->evaluation(g, on);
    paribus::swap_values(g.weights, g.slot(*this, "slow", paribus::Group::Init::copy));
  }

 private:
  static void centralize(const std::vector<at::Tensor>& grads) {
    for (const at::Tensor& grad : grads) {
      if (grad.dim() < 2) continue;
      std::vector<std::int64_t> rest(static_cast<std::size_t>(grad.dim() - 1));
      std::iota(rest.begin(), rest.end(), 1);
      grad.sub_(grad.mean(rest, /*keepdim=*/true));
    }
  }
};
PARIBUS_PART(Ranger, "ranger", "RAdam inside Lookahead on centralized gradients (Wright 2019)")
