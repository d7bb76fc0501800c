// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/arange.h>
#include <paribus/metric.h>

#include <cmath>
#include <sstream>

/// Share of the items whose target is among the k highest scores. Of equal scores the lower class
/// number comes first, as in argmax, so that k = 1 is accuracy; a score that isn't a number is
/// never right.
struct TopK : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::maximize;
  static constexpr std::string_view kUnit = "1";
  struct Params {
    int k = 5;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("k", &Params::k, "how many guesses the model has").at_least(1)};
    }
  } params;

  void reset() override { right_.reset(), items_ = 0; }
  void update(const paribus::Outputs& outputs, const paribus::Batch& batch,
              const at::Tensor& /*loss*/) override {
    const at::Tensor& scores = outputs.main();
    const at::Tensor target = batch.target().dim() == 2 ? batch.target().argmax(1) : batch.target();
    if (scores.dim() != 2 || target.dim() != 1 || scores.size(0) != target.size(0) ||
        scores.size(1) < params.k) {
      std::ostringstream text;
      text << "metric/top_k: the model's output and the target don't fit, got " << scores.sizes()
           << " and " << batch.target().sizes() << ", expected [N, K] with K >= k = " << params.k
           << " and class numbers [N] or probabilities [N, K]";
      throw paribus::Error(text.str());
    }
    const at::Tensor own = scores.gather(1, target.unsqueeze(1));
    const at::Tensor later =
        at::arange(scores.size(1), target.options()).unsqueeze(0).ge(target.unsqueeze(1));
    const at::Tensor before =
        scores.lt(own).logical_or(scores.eq(own).logical_and(later)).logical_not().sum(1);
    const at::Tensor part = before.lt(params.k).sum();
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
PARIBUS_PART(TopK, "top_k", "share of the items whose class is among the k scored highest")
