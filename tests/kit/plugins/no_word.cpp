// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

struct NoWord : paribus::Schedule {
  struct Params {
    double factor = 1;
    static constexpr auto fields() {
      return std::tuple{paribus::field("factor", &Params::factor, "")};
    }
  } params;
  double at(const paribus::Progress& p) const override { return p.base * params.factor; }
};
PARIBUS_PART(NoWord, "no_word", "a parameter without a word about it")
