// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <paribus/dataset.h>
#include <paribus/random.h>

/// Rows of four numbers and their sum with some noise, for losses and models of real-valued
/// targets.
struct Line : paribus::TensorDataset {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  void open(const paribus::Files& /*files*/) override {
    train = drawn(paribus::Split::train, 120);
    valid = drawn(paribus::Split::valid, 40);
    about.inputs = {{&paribus::kTensor, {}}};
    about.targets = {{&paribus::kRegression, {}}};
  }

 private:
  static Columns drawn(paribus::Split split, std::int64_t items) {
    const paribus::Stream stream(0, "dataset/line");
    Columns columns{at::empty({items, 4}), at::empty({items, 1})};
    auto* x = columns.input.mutable_data_ptr<float>();
    auto* y = columns.target.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < items; ++i, ++y) {
      paribus::Draws draws = stream.item(static_cast<std::int64_t>(split), i);
      *y = static_cast<float>(0.1 * draws.normal());
      for (int k = 0; k < 4; ++k, ++x) *y += *x = static_cast<float>(draws.normal());
    }
    return columns;
  }
};

PARIBUS_PART(Line, "line", "rows and their sums")
