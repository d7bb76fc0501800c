// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <numeric>

#include "confusion.h"

/// Area under the ROC curve: how often an item of a class is scored above one that isn't, where a
/// tie counts half (Mann and Whitney 1947). For two classes or one output it is that of class 1;
/// for more, the mean over the classes, each against all others, by the softmax of the scores; for
/// targets of floats (several labels), the mean over the labels, by their scores. Classes that all
/// or no items have are left out. Keeps all scores of a split.
struct Auroc : paribus::Metric {
  static constexpr paribus::Goal kGoal = paribus::Goal::maximize;
  static constexpr std::string_view kUnit = "1";
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  void reset() override { scores_.clear(), targets_.clear(); }
  void update(const paribus::Outputs& outputs, const paribus::Batch& batch,
              const at::Tensor& /*loss*/) override {
    const at::Tensor scores = outputs.main().to(at::kDouble);
    const at::Tensor& target = batch.target();
    const bool labels = scores.dim() == 2 && target.sizes() == scores.sizes();
    const bool numbers = scores.dim() == 2 && target.dim() == 1 && scores.size(0) == target.size(0);
    if (!labels && !numbers) {
      throw paribus::metrics::does_not_fit("auroc", scores, target,
                                           "[N, K] and class numbers [N] or labels [N, K]");
    }
    classes_ = static_cast<std::size_t>(scores.size(1));
    labels_ = labels;
    append(scores_, labels || classes_ == 1 ? scores : at::softmax(scores, 1));
    append(targets_, (labels ? target.gt(0.5) : target).to(at::kLong));
  }
  double value() const override {
    double sum = 0, classes = 0;
    if (scores_.empty()) return std::nan("");
    const std::size_t items = scores_.size() / classes_;
    std::vector<double> scores(items), truth(items);
    for (std::size_t c = !labels_ && classes_ == 2 ? 1 : 0; c < classes_; ++c) {
      const std::int64_t number = classes_ == 1 ? 1 : static_cast<std::int64_t>(c);
      for (std::size_t i = 0; i < items; ++i) {
        scores[i] = scores_[i * classes_ + c];
        const bool is = labels_ ? targets_[i * classes_ + c] == 1 : targets_[i] == number;
        truth[i] = is ? 1 : 0;
      }
      const double positive = std::accumulate(truth.begin(), truth.end(), 0.0);
      if (positive == 0 || positive == static_cast<double>(items)) continue;
      sum += area(scores, truth, positive), ++classes;
    }
    return classes == 0 ? std::nan("") : sum / classes;
  }

 private:
  template <class T>
  static void append(std::vector<T>& to, const at::Tensor& values) {
    const at::Tensor here = values.cpu().contiguous();
    const auto* begin = here.const_data_ptr<T>();
    to.insert(to.end(), begin, begin + here.numel());
  }

  /// From the sum of the ranks of the positive items; equal scores share the mean of their ranks.
  static double area(const std::vector<double>& scores, const std::vector<double>& labels,
                     double positive) {
    if (std::any_of(scores.begin(), scores.end(), [](double x) { return std::isnan(x); }))
      return std::nan("");
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    double ranks = 0;
    for (std::size_t i = 0, end = 0; i < order.size(); i = end) {
      double tied = 0;
      for (end = i; end < order.size() && scores[order[end]] == scores[order[i]]; ++end)
        tied += labels[order[end]];
      ranks += tied * (static_cast<double>(i + end - 1) / 2 + 1);
    }
    const double negative = static_cast<double>(scores.size()) - positive;
    return (ranks - positive * (positive + 1) / 2) / (positive * negative);
  }

  // Of each item its scores, and its class or its labels.
  std::vector<double> scores_;
  std::vector<std::int64_t> targets_;
  std::size_t classes_ = 0;
  bool labels_ = false;
};
PARIBUS_PART(Auroc, "auroc", "area under the ROC curve: how well scores put items of a class first")
