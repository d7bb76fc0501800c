// SPDX-License-Identifier: Apache-2.0
#include <paribus/callback.h>

#include <vector>

/// Keeps a number of each step, for nothing.
struct Grows : paribus::Callback {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;
  static constexpr auto touches() { return paribus::Touches<0, 0>{{}, {}}; }
  void after_step(paribus::Fit& /*fit*/) override { kept.emplace_back(16); }
  std::vector<std::vector<double>> kept;
};
PARIBUS_PART(Grows, "grows", "keeps something of each step")
