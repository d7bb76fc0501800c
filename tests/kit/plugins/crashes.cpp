// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>
#include <signal.h>

struct Crashes : paribus::Callback {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 0>{{}, {}}; }
  Crashes() { ::raise(SIGSEGV); }
};
PARIBUS_PART(Crashes, "crashes", "dies in its constructor")
