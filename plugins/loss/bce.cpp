// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/tensor.h>

#include "targets.h"

/// Mean over all elements of -(w q log s(x) + (1 - q) log(1 - s(x))), s the sigmoid, w
/// `pos_weight`: each class for itself, for targets that may have several or none (floats), or one
/// against all others (class numbers). With one output, class numbers are 0 and 1. Smoothing: q
/// becomes (1 - smoothing) q + smoothing / 2.
struct Bce : paribus::Loss {
  struct Params {
    double smoothing = 0;
    std::vector<double> pos_weight;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("smoothing", &Params::smoothing, "how far targets move to a half")
              .at_least(0)
              .at_most(1)
              .live(),
          paribus::field("pos_weight", &Params::pos_weight,
                         "of the items that are of a class, one for each class or one for all; "
                         "empty: 1")
              .at_least(0)};
    }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    const at::Tensor scores = outputs.main().to(at::kFloat);
    at::Tensor shares = of(scores, batch.target());
    if (params.smoothing > 0) shares = shares * (1 - params.smoothing) + 0.5 * params.smoothing;
    return at::binary_cross_entropy_with_logits(scores, shares, {}, weights(scores));
  }

 private:
  [[nodiscard]] static at::Tensor of(const at::Tensor& scores, const at::Tensor& target) {
    if (!paribus::losses::is_single(scores, target))
      return paribus::losses::shares("bce", scores, target);
    return paribus::losses::single_shares("bce", scores, target,
                                          "for more classes give the model an output for each");
  }

  [[nodiscard]] std::optional<at::Tensor> weights(const at::Tensor& scores) const {
    if (params.pos_weight.empty()) return std::nullopt;
    const auto given = static_cast<std::int64_t>(params.pos_weight.size());
    if (given != 1 && given != scores.size(1)) {
      throw paribus::Error("loss/bce: pos_weight has the wrong length, got " +
                           std::to_string(given) + ", expected 1 or " +
                           std::to_string(scores.size(1)) + ", one for each class");
    }
    std::vector<std::int64_t> shape(static_cast<std::size_t>(scores.dim()), 1);
    shape[1] = given;
    if (!weight_.defined() || weight_.device() != scores.device())
      weight_ = at::tensor(params.pos_weight, scores.options());
    return weight_.view(shape);
  }

  mutable at::Tensor weight_;  // pos_weight, where the scores are
};
PARIBUS_PART(Bce, "bce", "binary cross-entropy of each class for itself, with label smoothing")
