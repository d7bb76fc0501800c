// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

struct Refuses : paribus::Callback {
  struct Params {
    int every = 0;
    static constexpr auto fields() {
      return std::tuple{paribus::field("every", &Params::every, "steps").at_least(0)};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 0>{{}, {}}; }
  void before_fit(paribus::Fit& /*fit*/) override {
    if (params.every == 0) throw paribus::Error("callback/refuses: got every = 0, expected more");
  }
};
PARIBUS_PART(Refuses, "refuses", "doesn't take its own default")
