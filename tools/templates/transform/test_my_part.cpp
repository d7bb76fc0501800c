// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/full.h>

#include <cstdio>

#include "my_part.cpp"

/// With p = 1 every item is inverted, with p = 0 none.
int main() {
  for (const double p : {0.0, 1.0}) {
    MyPart transform;
    transform.params.p = p;
    paribus::Batch batch;
    batch.inputs = {{at::full({2, 1, 3, 3}, 55, at::kByte), &paribus::kImage}};
    batch.items = {4, 9};
    transform.apply(batch, paribus::Stream(0, "my_part"));
    if (batch.input().eq(p == 0 ? 55 : 200).all().item<bool>()) continue;
    std::fprintf(stderr, "p = %g: an item isn't what it should be\n", p);
    return 1;
  }
  return 0;
}
