// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ops/aminmax.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <paribus/metric.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "fit.h"

namespace paribus::metrics {

/// How often each class was guessed where each class was true, over items or pixels. Counts stay on
/// the device until asked for.
class Confusion {
 public:
  void reset() { counts_.reset(); }

  /// Scores [N, K, ...], the greatest is the guess, or [N, 1, ...], above 0 is class 1 of two;
  /// target class numbers [N, ...] or [N, 1, ...], or shares [N, K, ...], of which the greatest.
  /// Places whose class is `ignore` don't count.
  void add(const std::string& who, const Outputs& outputs, const Batch& batch,
           std::optional<int> ignore) {
    const at::Tensor& scores = outputs.main();
    if (scores.dim() < 2) throw does_not_fit(who, scores, batch.target(), kExpected);
    classes_ = std::max<std::int64_t>(2, scores.size(1));
    const at::Tensor guess =
        (scores.size(1) == 1 ? scores.select(1, 0).gt(0).to(at::kLong) : scores.argmax(1))
            .flatten();
    const at::Tensor truth = numbers(who, scores, batch.target());
    if (truth.numel() == 0) return;
    // What doesn't count goes into a cell of its own; what is no class, counts() refuses.
    at::Tensor place = truth.clamp(0, classes_ - 1).mul(classes_).add(guess), counted = truth;
    if (ignore) {
      const at::Tensor ignored = truth.eq(*ignore);
      place = place.masked_fill(ignored, classes_ * classes_);
      counted = truth.masked_fill(ignored, 0);
    }
    const at::Tensor part = at::bincount(place, {}, classes_ * classes_ + 1);
    const auto [least, most] = at::aminmax(counted);
    const bool first = !counts_.defined();
    counts_ = first ? part : counts_.add(part);
    least_ = first ? least : at::minimum(least_, least);
    most_ = first ? most : at::maximum(most_, most);
  }

  /// Of each class.
  struct Counts {
    std::vector<double> right, guessed, actual;
  };
  [[nodiscard]] Counts counts(const std::string& who) const {
    if (!counts_.defined()) return {};
    const auto least = least_.item<std::int64_t>(), most = most_.item<std::int64_t>();
    if (least < 0 || most >= classes_) {
      throw Error("metric/" + who + ": a target is no class, got " +
                  std::to_string(least < 0 ? least : most) + ", expected 0 to " +
                  std::to_string(classes_ - 1));
    }
    const auto k = static_cast<std::size_t>(classes_);
    Counts result{std::vector<double>(k), std::vector<double>(k), std::vector<double>(k)};
    const at::Tensor here = counts_.cpu();
    const auto* count = here.const_data_ptr<std::int64_t>();
    if (std::all_of(count, count + k * k, [](std::int64_t n) { return n == 0; })) return {};
    for (std::size_t truth = 0; truth < k; ++truth) {
      for (std::size_t guess = 0; guess < k; ++guess) {
        const auto n = static_cast<double>(count[truth * k + guess]);
        result.actual[truth] += n;
        result.guessed[guess] += n;
        if (truth == guess) result.right[truth] = n;
      }
    }
    return result;
  }

 private:
  static constexpr const char* kExpected =
      "[N, K, ...] and class numbers [N, ...] or shares [N, K, ...]";

  static at::Tensor numbers(const std::string& who, const at::Tensor& scores,
                            const at::Tensor& target) {
    const bool same = target.dim() == scores.dim() && target.size(0) == scores.size(0) &&
                      target.sizes().slice(2) == scores.sizes().slice(2);
    if (same && target.is_floating_point() && scores.size(1) > 1 &&
        target.size(1) == scores.size(1))
      return target.argmax(1).flatten();
    if (same && target.size(1) == 1 && (target.dim() > 2 || scores.size(1) == 1))
      return target.select(1, 0).to(at::kLong).flatten();
    const bool plain = target.dim() == scores.dim() - 1 && target.size(0) == scores.size(0) &&
                       target.sizes().slice(1) == scores.sizes().slice(2);
    if (!plain || (target.is_floating_point() && scores.size(1) > 1))
      throw does_not_fit(who, scores, target, kExpected);
    return target.to(at::kLong).flatten();
  }

  at::Tensor counts_;        // K * K, by truth, then guess; and of what doesn't count
  at::Tensor least_, most_;  // of the targets that count
  std::int64_t classes_ = 0;
};

/// A ratio of counts, as metrics of classes average it. `Ratio` gives {above, below} for
/// (right, guessed, actual).
struct Averaged {
  std::string_view average = "macro";
  std::optional<int> of_class;
};

/// macro: mean of the classes' ratios, of those classes that are true or guessed anywhere; micro:
/// of the sums over all classes; or of one class. 0 / 0 is 0, and NaN where nothing was counted.
template <class Ratio>
double averaged(const std::string& who, const Confusion& confusion, const Averaged& how,
                Ratio ratio) {
  const Confusion::Counts counts = confusion.counts(who);
  if (counts.right.empty()) return std::nan("");
  const auto share = [&](double right, double guessed, double actual) {
    const auto [above, below] = ratio(right, guessed, actual);
    return below == 0 ? 0.0 : above / below;
  };
  const auto of = [&](std::size_t k) {
    return share(counts.right[k], counts.guessed[k], counts.actual[k]);
  };
  if (how.of_class) {
    const auto k = static_cast<std::size_t>(*how.of_class);
    if (k < counts.right.size()) return of(k);
    throw Error("metric/" + who + ": there is no class " + std::to_string(k) + ", expected 0 to " +
                std::to_string(counts.right.size() - 1));
  }
  double sum = 0, present = 0, right = 0, guessed = 0, actual = 0;
  for (std::size_t k = 0; k < counts.right.size(); ++k) {
    right += counts.right[k], guessed += counts.guessed[k], actual += counts.actual[k];
    if (counts.guessed[k] + counts.actual[k] == 0) continue;
    sum += of(k), ++present;
  }
  return how.average == "micro" ? share(right, guessed, actual) : sum / present;
}

/// The parameters that metrics of classes share.
struct ClassParams {
  std::string_view average = "macro";
  std::optional<int> of_class;
  std::optional<int> ignore;

  static constexpr auto fields() {
    return std::tuple{
        field("average", &ClassParams::average,
              "macro: every class counts the same; micro: every item does")
            .one_of("macro", "micro"),
        field("of_class", &ClassParams::of_class, "of this class alone").at_least(0),
        field("ignore", &ClassParams::ignore, "the class number whose places don't count")
            .at_least(0)};
  }
};

/// All of a metric of classes but its ratio: `struct Recall : ClassMetric<Recall>`, with `kName`
/// and `static std::pair<double, double> ratio(right, guessed, actual)`.
template <class Own>
struct ClassMetric : Metric {
  static constexpr Goal kGoal = Goal::maximize;
  static constexpr std::string_view kUnit = "1";
  using Params = ClassParams;
  Params params;

  void reset() override { confusion_.reset(); }
  void update(const Outputs& outputs, const Batch& batch, const at::Tensor& /*loss*/) override {
    confusion_.add(Own::kName, outputs, batch, params.ignore);
  }
  [[nodiscard]] double value() const override {
    return averaged(Own::kName, confusion_, {params.average, params.of_class}, Own::ratio);
  }

 private:
  Confusion confusion_;
};

}  // namespace paribus::metrics
