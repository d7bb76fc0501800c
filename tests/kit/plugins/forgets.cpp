// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

/// A count that training depends on, and no checkpoint has.
struct Forgets : paribus::Callback {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"loss"}}; }
  void after_loss(paribus::Fit& fit) override { fit.loss = fit.loss.mul(1.0 / ++count); }
  int count = 0;
};
PARIBUS_PART(Forgets, "forgets", "a loss that counts less and less")
