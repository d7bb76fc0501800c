// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

/// base * factor throughout; factor 1 is no schedule at all.
struct Constant : paribus::Schedule {
  struct Params {
    double factor = 1;
    static constexpr auto fields() {
      return std::tuple{paribus::field("factor", &Params::factor, "times the configured value")};
    }
  } params;

  double at(const paribus::Progress& p) const override { return p.base * params.factor; }
};
PARIBUS_PART(Constant, "constant", "the configured value, times a factor")
