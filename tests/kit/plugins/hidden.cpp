// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

#include <random>

/// Randomness that no seed tells of.
struct Hidden : paribus::Callback {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"loss"}}; }
  void after_loss(paribus::Fit& fit) override {
    fit.loss = fit.loss.mul(1 + 1e-3 * (std::random_device()() % 1000));
  }
};
PARIBUS_PART(Hidden, "hidden", "scales the loss by chance")
