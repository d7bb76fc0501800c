// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "my_part.cpp"

/// Where it begins, where it stands after a quarter, and where it ends.
int main() {
  const MyPart schedule;
  for (const double fraction : {0.0, 0.25, 1.0}) {
    const double got = schedule.at({.fraction = fraction, .base = 0.4});
    if (got == 0.4 * (1 - fraction)) continue;
    std::fprintf(stderr, "at %g: got %g, expected %g\n", fraction, got, 0.4 * (1 - fraction));
    return 1;
  }
  return 0;
}
