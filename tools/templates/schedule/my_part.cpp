// SPDX-License-Identifier: Apache-2.0
#include <paribus/schedule.h>

/// From the configured value in a straight line to nothing.
struct MyPart : paribus::Schedule {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;
  double at(const paribus::Progress& p) const override { return p.base * (1 - p.fraction); }
};
PARIBUS_PART(MyPart, "my_part", "a straight line to nothing")
