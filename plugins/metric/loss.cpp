// SPDX-License-Identifier: Apache-2.0
#include <paribus/metric.h>

#include <cmath>

/// The mean loss over the items of a split; each batch counts by its size. Sums stay on the device
/// until asked for.
struct MeanLoss : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::minimize;
  static constexpr std::string_view kUnit = "1";
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  void reset() override { sum_.reset(), items_ = 0; }
  void update(const paribus::Outputs&, const paribus::Batch& batch,
              const at::Tensor& loss) override {
    const at::Tensor part = loss.detach().to(at::kDouble).mul(batch.size());
    sum_ = sum_.defined() ? sum_.add(part) : part;
    items_ += batch.size();
  }
  double value() const override {
    return items_ == 0 ? std::nan("") : sum_.item<double>() / static_cast<double>(items_);
  }

 private:
  at::Tensor sum_;
  std::int64_t items_ = 0;
};
PARIBUS_PART(MeanLoss, "loss", "mean loss over the items of a split")
