// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/_fused_adam.h>
#include <paribus/optimizer.h>

/// Adam (Kingma and Ba 2015): m and v are moving averages of g and g^2, w -= lr (m / (1 - beta1^t))
/// / (sqrt(v / (1 - beta2^t)) + eps). Its decay goes through the averages; for decoupled decay take
/// adamw. AMSGrad: Reddi, Kale, Kumar 2018.
struct Adam : paribus::Optimizer {
  struct Params {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
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
          field("weight_decay", &Params::weight_decay, "L2: times the weight, joins the gradient")
              .at_least(0)
              .live(),
          field("amsgrad", &Params::amsgrad, "divide by the largest average of squares so far")};
    }
  } params;

  void step(paribus::Group& g) override {
    const at::TensorList largest =
        params.amsgrad ? at::TensorList{g.slot(*this, "largest")} : at::TensorList{};
    at::_fused_adam_(g.weights, g.grads, g.slot(*this, "mean"), g.slot(*this, "square"), largest,
                     g.step_tensors(), params.lr * g.lr_scale, params.beta1, params.beta2,
                     params.weight_decay * g.decay_scale, params.eps, params.amsgrad,
                     /*maximize=*/false);
  }
};
PARIBUS_PART(Adam, "adam", "adaptive moments (Kingma and Ba 2015), AMSGrad on request")
