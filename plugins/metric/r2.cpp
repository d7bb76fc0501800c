// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/zeros.h>

#include "errors.h"

/// 1 - sum (y - output)^2 / sum (y - mean of y)^2 over the split, the share of the target's
/// variance that is explained; of several outputs the mean of theirs. NaN where a target doesn't
/// vary.
struct R2 : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::maximize;
  static constexpr std::string_view kUnit = "1";
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  void reset() override { items_ = 0; }
  void update(const paribus::Outputs& outputs, const paribus::Batch& batch,
              const at::Tensor& /*loss*/) override {
    const auto pair = paribus::metrics::real_values("r2", outputs, batch);
    const std::int64_t rows = pair.target.size(0);
    if (rows == 0) return;
    const at::Tensor target = pair.target.reshape({rows, -1});
    if (items_ == 0) begin(target[0]);
    // From the first item's target on: sums of large numbers would lose their differences.
    const at::Tensor from = target.sub(origin_);
    sum_ = sum_.add(from.sum(0));
    squares_ = squares_.add(from.square().sum(0));
    errors_ = errors_.add(target.sub(pair.output.reshape({rows, -1})).square().sum(0));
    items_ += rows;
  }
  double value() const override {
    if (items_ == 0) return std::nan("");
    const at::Tensor total = squares_.sub(sum_.square().div(items_));
    return errors_.div(total)
        .neg()
        .add(1)
        .masked_fill(total.le(0), std::nan(""))
        .mean()
        .item<double>();
  }

 private:
  void begin(const at::Tensor& first) {
    origin_ = first.clone();
    sum_ = squares_ = errors_ = at::zeros(first.sizes(), first.options());
  }

  at::Tensor origin_, sum_, squares_, errors_;  // of each output
  std::int64_t items_ = 0;
};
PARIBUS_PART(R2, "r2", "share of the target's variance that is explained")
