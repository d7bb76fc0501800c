// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_fused_sgd.h>
#include <paribus/optimizer.h>

/// Stochastic gradient descent as in PyTorch: g += decay w; v = momentum v + (1 - dampening) g, v =
/// g at the first step; w -= lr v, or with Nesterov w -= lr (g + momentum v). The velocity holds no
/// rate: changing lr acts at once.
struct Sgd : paribus::Optimizer {
  struct Params {
    double lr = 0.1, momentum = 0, dampening = 0, weight_decay = 0;
    bool nesterov = false;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("lr", &Params::lr, "learning rate").at_least(0).live(),
          field("momentum", &Params::momentum, "share of the velocity that stays")
              .at_least(0)
              .below(1)
              .live(),
          field("dampening", &Params::dampening, "share of the gradient kept from it")
              .at_least(0)
              .at_most(1)
              .live(),
          field("weight_decay", &Params::weight_decay, "L2: times the weight, joins the gradient")
              .at_least(0)
              .live(),
          field("nesterov", &Params::nesterov, "look one velocity ahead; acts with momentum only")};
    }
  } params;

  void step(paribus::Group& g) override {
    const bool plain = params.momentum == 0;
    const bool first = !plain && !g.has_slot(*this, "momentum");
    const at::TensorList velocity =
        plain ? at::TensorList{} : at::TensorList{g.slot(*this, "momentum")};
    at::_fused_sgd_(g.weights, g.grads, velocity, params.weight_decay * g.decay_scale,
                    params.momentum, params.lr * g.lr_scale, params.dampening, params.nesterov,
                    /*maximize=*/false, first);
  }
};
PARIBUS_PART(Sgd, "sgd", "stochastic gradient descent, with momentum, Nesterov's too")
