// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

/// What it keeps comes back with fewer digits.
struct Rounds : paribus::Callback {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 0>{{}, {}}; }
  void after_step(paribus::Fit& /*fit*/) override { sum += 0.1; }
  void state(paribus::State& s) override {
    s.number("sum", sum);
    if (s.loading()) sum = static_cast<float>(sum);
  }
  double sum = 0;
};
PARIBUS_PART(Rounds, "rounds", "loads less than it saved")
