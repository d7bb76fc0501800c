// SPDX-License-Identifier: Apache-2.0
#include <paribus/metric.h>

/// How sure the model is of what it answers: the mean of each item's greatest probability.
struct MyPart : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::maximize;
  static constexpr std::string_view kUnit = "1";
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  void reset() override { sum_ = 0, items_ = 0; }
  void update(const paribus::Outputs& outputs, const paribus::Batch& /*batch*/,
              const at::Tensor& /*loss*/) override {
    const at::Tensor scores = outputs.main().to(at::kDouble);
    sum_ += scores.softmax(1).amax(1).sum().item<double>();
    items_ += scores.size(0);
  }
  // Divided at the end, so that the value doesn't depend on the size of batches.
  [[nodiscard]] double value() const override { return sum_ / static_cast<double>(items_); }

 private:
  double sum_ = 0;
  std::int64_t items_ = 0;
};
PARIBUS_PART(MyPart, "my_part", "mean of the greatest probability")
