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

  void reset() override { scores_.clear(), labels_.clear(); }
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
    const std::int64_t k = scores.size(1);
    const at::Tensor ranked = labels || k == 1 ? scores : at::softmax(scores, 1);
    const std::int64_t first = !labels && k == 2 ? 1 : 0;
    scores_.resize(static_cast<std::size_t>(k - first));
    labels_.resize(scores_.size());
    for (std::int64_t c = first; c < k; ++c) {
      const at::Tensor truth =
          labels ? target.select(1, c).gt(0.5) : target.to(at::kLong).eq(k == 1 ? 1 : c);
      const auto place = static_cast<std::size_t>(c - first);
      append(scores_[place], ranked.select(1, c).cpu().contiguous());
      append(labels_[place], truth.to(at::kDouble).cpu());
    }
  }
  double value() const override {
    double sum = 0, classes = 0;
    for (std::size_t c = 0; c < scores_.size(); ++c) {
      const double positive = std::accumulate(labels_[c].begin(), labels_[c].end(), 0.0);
      if (positive == 0 || positive == static_cast<double>(labels_[c].size())) continue;
      sum += area(scores_[c], labels_[c], positive), ++classes;
    }
    return classes == 0 ? std::nan("") : sum / classes;
  }

 private:
  static void append(std::vector<double>& to, const at::Tensor& values) {
    const auto* begin = values.const_data_ptr<double>();
    to.insert(to.end(), begin, begin + values.numel());
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

  std::vector<std::vector<double>> scores_, labels_;  // of each class, over the items
};
PARIBUS_PART(Auroc, "auroc", "area under the ROC curve: how well scores put items of a class first")
