// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/clone.h>
#include <paribus/optimizer.h>

/// k steps of the inner optimizer on the fast weights w, then one of the slow weights s towards
/// them: s += alpha (w - s); w = s (Zhang, Lucas, Hinton, Ba 2019). alpha = 1 is the inner
/// optimizer, evaluation included.
struct Lookahead : paribus::Optimizer {
  struct Params {
    paribus::Part<paribus::Optimizer> inner{"sgd"};
    int k = 5;
    double alpha = 0.5;
    std::string_view evaluate = "slow";
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{field("inner", &Params::inner, "the optimizer that makes the steps"),
                        field("k", &Params::k, "inner steps for each slow one").at_least(1),
                        field("alpha", &Params::alpha, "share of the way that the slow weights go")
                            .above(0)
                            .at_most(1)
                            .live(),
                        field("evaluate", &Params::evaluate, "the weights that are validated")
                            .one_of("slow", "fast")};
    }
  } params;

  void step(paribus::Group& g) override {
    const auto& slow =
        g.slot(*this, "slow", paribus::Group::Init::copy);  // as it is before the first step
    params.inner->step(g);
    if (g.step % params.k != 0) return;
    if (params.alpha == 1)
      return at::_foreach_copy_(slow, g.weights);  // bitwise, what rounding isn't sure to be
    at::_foreach_lerp_(slow, g.weights, params.alpha);
    at::_foreach_copy_(g.weights, slow);
  }

  void evaluation(paribus::Group& g, bool on) override {
    if (params.evaluate == "fast" || params.alpha == 1) return params.inner->evaluation(g, on);
    const auto& slow = g.slot(*this, "slow", paribus::Group::Init::copy);
    std::vector<at::Tensor> held;
    for (const at::Tensor& weight : g.weights) held.push_back(weight.clone());
    at::_foreach_copy_(g.weights, slow);  // the two change places, so that "off" is the same again
    at::_foreach_copy_(slow, held);
  }
};
PARIBUS_PART(Lookahead, "lookahead",
             "k steps forward, one step back (Zhang et al. 2019), around any optimizer")
