// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <paribus/callback.h>

#include <numeric>

/// Gradient centralization (Yong, Huang, Hua, Zhang 2020): from the gradient of each output of a
/// weight with `dims` or more dimensions its mean is taken away, whatever the optimizer.
struct Centralize : paribus::Callback {
  struct Params {
    int dims = 2;
    static constexpr auto fields() {
      return std::tuple{paribus::field("dims", &Params::dims,
                                       "of the weights it is for; 4: of convolutions alone")
                            .at_least(2)};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"grads"}}; }

  void before_step(paribus::Fit& fit) override {
    const at::NoGradGuard no_grad;
    for (const auto& [name, weight] : fit.model->weights()) {
      at::Tensor grad = weight.grad();
      if (!grad.defined() || grad.dim() < params.dims) continue;
      std::vector<std::int64_t> rest(static_cast<std::size_t>(grad.dim() - 1));
      std::iota(rest.begin(), rest.end(), 1);
      grad.sub_(grad.mean(rest, /*keepdim=*/true));
    }
  }
};
PARIBUS_PART(Centralize, "centralize", "takes their mean from gradients (Yong et al. 2020)")
