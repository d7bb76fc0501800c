// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/sigmoid.h>

#include "targets.h"

/// Cross-entropy in which items that are right already count little (Lin, Goyal, Girshick, He,
/// Dollar 2017): -sum_k q_k (1 - p_k)^gamma log p_k, p the softmax of the scores, averaged over
/// items and places. With `sigmoid` each class is for itself, as in the paper: the mean over all
/// elements of a (1 - p_t)^gamma times the binary cross-entropy, where p_t is the probability of
/// what is true, and a is alpha for what is of the class and 1 - alpha for the others.
struct Focal : paribus::Loss {
  struct Params {
    double gamma = 2;
    std::optional<double> alpha;
    bool sigmoid = false;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("gamma", &Params::gamma, "how little; 0: cross-entropy")
              .at_least(0)
              .at_most(20)
              .live(),
          paribus::field("alpha", &Params::alpha,
                         "weight of what is of a class, under sigmoid; not given: all weigh 1")
              .at_least(0)
              .at_most(1),
          paribus::field("sigmoid", &Params::sigmoid, "each class for itself")};
    }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    const at::Tensor scores = outputs.main().to(at::kFloat);
    const at::Tensor shares = paribus::losses::shares("focal", scores, batch.target());
    if (params.sigmoid) return each_class(scores, shares);
    if (params.alpha) {
      throw paribus::Error(
          "loss/focal: alpha weighs each class against all others, got it without sigmoid; set "
          "sigmoid = true");
    }
    const at::Tensor log_p = at::log_softmax(scores, 1);
    at::Tensor terms = shares * log_p;
    if (params.gamma > 0) terms = terms * faded(log_p.exp());
    return terms.sum(1).mean().neg();
  }

 private:
  /// (1 - p)^gamma; rounding may take p above 1, and a power of what is below 0 is no number.
  [[nodiscard]] at::Tensor faded(const at::Tensor& p) const {
    return (1 - p).clamp_min(0).pow(params.gamma);
  }

  [[nodiscard]] at::Tensor each_class(const at::Tensor& scores, const at::Tensor& shares) const {
    at::Tensor terms = at::binary_cross_entropy_with_logits(scores, shares, {}, {}, 0);
    const at::Tensor p = at::sigmoid(scores);
    if (params.gamma > 0) terms = terms * faded(p * shares + (1 - p) * (1 - shares));
    if (params.alpha) terms = terms * (*params.alpha * shares + (1 - *params.alpha) * (1 - shares));
    return terms.mean();
  }
};
PARIBUS_PART(Focal, "focal", "cross-entropy that looks away from what is right already")
