// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "my_part.cpp"

/// Lists of three and two values: the first point, two of the one axis, one of the other.
int main() {
  const std::vector<paribus::Axis> axes{{.addresses = {"optimizer.lr"}, .count = 3},
                                        {.addresses = {"data.batch"}, .count = 2}};
  const std::vector<paribus::Point> points = MyPart().propose(axes, {});
  const bool right = points.size() == 4 && points[2][0].index == 2 && points[2][1].index == 0 &&
                     points[3][0].index == 0 && points[3][1].index == 1;
  if (right) return 0;
  std::fprintf(stderr, "got %zu points, expected 00 10 20 01\n", points.size());
  return 1;
}
