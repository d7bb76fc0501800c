// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <paribus/dataset.h>
#include <paribus/random.h>

#include <cmath>

/// Points on two rings, to be told apart by their distance from the middle.
struct MyPart : paribus::TensorDataset {
  struct Params {
    double noise = 0.2;
    static constexpr auto fields() {
      return std::tuple{paribus::field("noise", &Params::noise, "off the ring").at_least(0)};
    }
  } params;

  void open(const paribus::Files& /*files*/) override {
    train = drawn(paribus::Split::train, 1000), valid = drawn(paribus::Split::valid, 200);
    about.inputs = {{&paribus::kTensor, {}}};  // shapes are read off the columns
    about.targets = {{&paribus::kCategory, {}}};
    about.classes = 2;
  }
  Columns drawn(paribus::Split split, std::int64_t items) const {
    Columns columns{at::empty({items, 2}), at::empty({items}, at::kLong)};
    for (std::int64_t i = 0; i < items; ++i) {  // the same points on every machine
      auto draws = paribus::Stream(0, "my_part").item(static_cast<std::int64_t>(split), i);
      const double angle = 6.283185 * draws.uniform(), noise = params.noise * draws.normal();
      columns.input[i][0] = (1 + i % 2 + noise) * std::cos(angle);
      columns.input[i][1] = (1 + i % 2 + noise) * std::sin(angle);
      columns.target[i] = i % 2;
    }
    return columns;
  }
};
PARIBUS_PART(MyPart, "my_part", "points on two rings")
