// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>
#include <paribus/groups.h>

/// Keeps each number of each gradient between -limit and limit.
struct MyPart : paribus::Callback {
  struct Params {
    double limit = 1;
    static constexpr auto fields() {
      return std::tuple{paribus::field("limit", &Params::limit, "of a gradient").above(0).live()};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"grads"}}; }

  void before_step(paribus::Fit& fit) override {
    for (const at::Tensor& grad : fit.groups->gradients()) grad.clamp_(-params.limit, params.limit);
  }
};
PARIBUS_PART(MyPart, "my_part", "keeps gradients between two limits")
