// SPDX-License-Identifier: Apache-2.0
#include <paribus/metric.h>

#include <cmath>
#include <sstream>

/// Share of the items whose greatest score is the target's class; a target of K probabilities
/// stands for its greatest. The count stays on the device until asked for.
struct Accuracy : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::maximize;
  static constexpr std::string_view kUnit = "1";
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  void reset() override { right_.reset(), items_ = 0; }
  void update(const paribus::Outputs& outputs, const paribus::Batch& batch,
              const at::Tensor& /*loss*/) override {
    const at::Tensor& scores = outputs.main();
    const at::Tensor target = batch.target().dim() == 2 ? batch.target().argmax(1) : batch.target();
    if (scores.dim() != 2 || target.dim() != 1 || scores.size(0) != target.size(0)) {
      std::ostringstream text;
      text << "metric/accuracy: the model's output and the target don't fit, got " << scores.sizes()
           << " and " << batch.target().sizes()
           << ", expected [N, K] and class numbers [N] or probabilities [N, K]";
      throw paribus::Error(text.str());
    }
    const at::Tensor part = scores.argmax(1).eq(target).sum();
    right_ = right_.defined() ? right_.add(part) : part;
    items_ += scores.size(0);
  }
  double value() const override {
    return items_ == 0
               ? std::nan("")
               : static_cast<double>(right_.item<std::int64_t>()) / static_cast<double>(items_);
  }

 private:
  at::Tensor right_;
  std::int64_t items_ = 0;
};
PARIBUS_PART(Accuracy, "accuracy", "share of the items whose class is scored highest")
