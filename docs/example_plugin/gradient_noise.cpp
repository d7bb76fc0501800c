// SPDX-License-Identifier: Apache-2.0
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <paribus/callback.h>
#include <paribus/groups.h>

#include <cmath>

/// g += N(0, eta / (1 + t)^gamma) before each step (Neelakantan et al. 2015, "Adding gradient noise
/// improves learning for very deep networks").
struct GradientNoise : paribus::Callback {
  struct Params {
    double eta = 0.01, gamma = 0.55;
    static constexpr auto fields() {
      using paribus::field;
      return std::tuple{
          field("eta", &Params::eta, "variance at the start; 0: none").at_least(0).live(),
          field("gamma", &Params::gamma, "how fast it falls").at_least(0)};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"grads"}}; }

  void before_step(paribus::Fit& fit) override {
    if (params.eta == 0) return;
    const double t = static_cast<double>(fit.step);
    const double deviation = std::sqrt(params.eta / std::pow(1 + t, params.gamma));
    // Of this callback and this batch alone: nobody else's draws move, and a resumed training
    // draws the same.
    auto draws = at::make_generator<at::CPUGeneratorImpl>(
        fit.stream(*this).seed(fit.epoch, fit.batch_index));
    for (const at::Tensor& grad : fit.groups->gradients()) {
      const at::Tensor noise = at::empty(grad.sizes(), at::kFloat).normal_(0, deviation, draws);
      grad.add_(noise.to(grad.device()));
    }
  }
};
PARIBUS_PART(GradientNoise, "gradient_noise", "gradients with noise that fades")
