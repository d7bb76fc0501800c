// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>
#include <unistd.h>

#include <thread>

/// A thread that outlives the training.
struct Thread : paribus::Callback {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 0>{{}, {}}; }
  void before_fit(paribus::Fit& /*fit*/) override {
    std::thread([] { ::sleep(600); }).detach();
  }
};
PARIBUS_PART(Thread, "thread", "leaves a thread behind")
