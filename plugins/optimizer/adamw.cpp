// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_fused_adamw.h>
#include <paribus/optimizer.h>

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019): w *= 1 - lr weight_decay before
/// Adam's step, so that decay doesn't go through the averages. AMSGrad: Reddi, Kale, Kumar 2018.
struct AdamW : paribus::Optimizer {
  struct Params {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 1e-2;
    bool amsgrad = false;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("lr", &Params::lr, "learning rate").at_least(0).live(),
          field("beta1", &Params::beta1, "decay of the gradients' average")
              .at_least(0)
              .below(1)
              .live(),
          field("beta2", &Params::beta2, "decay of their squares' average")
              .at_least(0)
              .below(1)
              .live(),
          field("eps", &Params::eps, "added to the root, against division by zero")
              .at_least(0)
              .live(),
          field("weight_decay", &Params::weight_decay, "decoupled: w *= 1 - lr weight_decay")
              .at_least(0)
              .live(),
          field("amsgrad", &Params::amsgrad, "divide by the largest average of squares so far")};
    }
  } params;

  void step(paribus::Group& g) override {
    const at::TensorList largest =
        params.amsgrad ? at::TensorList{g.slot(*this, "largest")} : at::TensorList{};
    at::_fused_adamw_(g.weights, g.grads, g.slot(*this, "mean"), g.slot(*this, "square"), largest,
                      g.step_tensors(), params.lr * g.lr_scale, params.beta1, params.beta2,
                      params.weight_decay * g.decay_scale, params.eps, params.amsgrad,
                      /*maximize=*/false);
  }
};
PARIBUS_PART(AdamW, "adamw",
             "Adam with decoupled weight decay (Loshchilov and Hutter 2019), AMSGrad on request")
