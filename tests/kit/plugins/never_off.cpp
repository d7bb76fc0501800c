// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

struct NeverOff : paribus::Callback {
  struct Params {
    double amount = 0.1;
    static constexpr auto fields() {
      return std::tuple{paribus::field("amount", &Params::amount, "0: none, it says").at_least(0)};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 1>{{}, {"loss"}}; }
  void after_loss(paribus::Fit& fit) override { fit.loss = fit.loss.mul(1.001 + params.amount); }
};
PARIBUS_PART(NeverOff, "never_off", "does something when it is off")
