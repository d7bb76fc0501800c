// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

#include <algorithm>

/// A straight line from one factor of the configured value to another, flat before `begin` and
/// after `until`; with `values` the two are values (sizes of images, say). The last step comes just
/// short of the end, as in PyTorch's LinearLR over all steps; `until` below 1 reaches it.
struct Linear : paribus::Schedule {
  struct Params {
    double from = 1;
    double to = 0;
    double begin = 0;
    double until = 1;
    bool values = false;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("from", &Params::from, "where the line starts"),
          paribus::field("to", &Params::to, "where it ends"),
          paribus::field("begin", &Params::begin, "share of training before the line starts")
              .at_least(0)
              .at_most(1),
          paribus::field("until", &Params::until, "share of training at which it ends")
              .at_least(0)
              .at_most(1),
          paribus::field("values", &Params::values,
                         "from and to are values, not factors of the configured one")};
    }
  } params;

  double at(const paribus::Progress& p) const override {
    if (params.until < params.begin) {
      throw paribus::Error(address() + ": schedule/linear ends before it begins, got begin " +
                           std::to_string(params.begin) + " and until " +
                           std::to_string(params.until) + ", expected begin <= until");
    }
    const double base = params.values ? 1 : p.base;
    if (p.fraction >= params.until) return base * params.to;
    const double position =
        std::max(0.0, (p.fraction - params.begin) / (params.until - params.begin));
    return base * (params.from + (params.to - params.from) * position);
  }
};
PARIBUS_PART(Linear, "linear", "a straight line between two factors or values")
