// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/cross_entropy_loss.h>
#include <paribus/loss.h>

#include <sstream>

/// -sum_k q_k log softmax(outputs)_k with q the target: a class number, or K probabilities (mixup,
/// distillation). Label smoothing (Szegedy et al. 2016): q becomes (1 - smoothing) q + smoothing /
/// K.
struct CrossEntropy : paribus::Loss {
  struct Params {
    double smoothing = 0;
    static constexpr auto fields() {
      return std::tuple{paribus::field("smoothing", &Params::smoothing,
                                       "share of the target spread over all classes")
                            .at_least(0)
                            .at_most(1)
                            .live()};
    }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    const at::Tensor scores = outputs.main().to(at::kFloat);
    const at::Tensor& target = batch.target();
    const bool numbers = target.dim() == 1 && target.scalar_type() == at::kLong;
    const bool fits = scores.dim() == 2 && scores.size(0) == target.size(0) &&
                      (numbers || (target.sizes() == scores.sizes() && target.is_floating_point()));
    if (!fits) {
      std::ostringstream text;
      text << "loss/cross_entropy: the model's output and the target don't fit, got "
           << scores.sizes() << " and " << target.scalar_type() << ' ' << target.sizes()
           << ", expected [N, K] and int64 class numbers [N] or float probabilities [N, K]; for "
              "real-valued targets "
              "take mse";
      throw paribus::Error(text.str());
    }
    return at::cross_entropy_loss(scores, numbers ? target : target.to(at::kFloat), {},
                                  at::Reduction::Mean,
                                  /*ignore_index=*/-100, params.smoothing);
  }
};
PARIBUS_PART(CrossEntropy, "cross_entropy",
             "softmax cross-entropy of class numbers or probabilities, with label smoothing")
