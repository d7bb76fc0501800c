// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "my_part.cpp"

/// A batch of two images in, two rows of five scores out.
int main() {
  paribus::DataSpec data;
  data.inputs = {{&paribus::kImage, {1, 4, 4}}};
  data.classes = 5;
  MyPart model;
  model.params.width = 3;
  model.build(data);
  const bool fits = model.forward(torch::ones({2, 1, 4, 4})).sizes() == at::IntArrayRef({2, 5});
  if (fits && model.weights().size() == 4) return 0;
  std::fprintf(stderr, "expected scores [2, 5] and 4 weights\n");
  return 1;
}
