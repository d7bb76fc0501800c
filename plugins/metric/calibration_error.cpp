// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "confusion.h"

/// Expected calibration error (Guo, Pleiss, Sun, Weinberger 2017): items are sorted into bins of
/// equal width by their confidence, the greatest probability of the softmax; the mean over the
/// items of |share that is right - mean confidence| of their bins.
struct CalibrationError : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::minimize;
  static constexpr std::string_view kUnit = "1";
  struct Params {
    int bins = 15;
    static constexpr auto fields() {
      return std::tuple{paribus::field("bins", &Params::bins, "of confidence, of equal width")
                            .at_least(1)
                            .at_most(100000)};
    }
  } params;

  void reset() override { sums_.reset(), items_ = 0; }
  void update(const paribus::Outputs& outputs, const paribus::Batch& batch,
              const at::Tensor& /*loss*/) override {
    const at::Tensor& scores = outputs.main();
    const at::Tensor target = batch.target().dim() == 2 ? batch.target().argmax(1) : batch.target();
    if (scores.dim() != 2 || target.dim() != 1 || scores.size(0) != target.size(0)) {
      throw paribus::metrics::does_not_fit("calibration_error", scores, batch.target(),
                                           "[N, K] and class numbers [N] or probabilities [N, K]");
    }
    const auto [confidence, guess] = at::softmax(scores.to(at::kDouble), 1).max(1);
    // A bin holds its upper edge, as in the paper's code.
    const at::Tensor bin = confidence.mul(params.bins).ceil().sub(1).clamp(0, params.bins - 1);
    const at::Tensor gap = guess.eq(target).to(at::kDouble).sub(confidence);
    if (!sums_.defined()) sums_ = at::zeros({params.bins}, gap.options());
    sums_ = sums_.index_add(0, bin.nan_to_num(0).to(at::kLong), gap);
    items_ += scores.size(0);
  }
  double value() const override {
    return items_ == 0 ? std::nan("")
                       : sums_.abs().sum().item<double>() / static_cast<double>(items_);
  }

 private:
  at::Tensor sums_;  // of each bin: how many are right, less their confidences
  std::int64_t items_ = 0;
};
PARIBUS_PART(CalibrationError, "calibration_error",
             "how far confidence is from the share that is right (expected calibration error)")
