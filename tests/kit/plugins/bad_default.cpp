// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

struct BadDefault : paribus::Callback {
  struct Params {
    double share = 1.5;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("share", &Params::share, "of nothing").at_least(0).at_most(1)};
    }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 0>{{}, {}}; }
};
PARIBUS_PART(BadDefault, "bad_default", "a default beyond its bound")
