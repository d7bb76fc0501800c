// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <paribus/loss.h>

#include <sstream>

/// -sum_k q_k log softmax(outputs)_k with q the target: a class number, or K probabilities (mixup,
/// distillation); of a mask, the mean over its pixels. Label smoothing (Szegedy et al. 2016): q
/// becomes (1 - smoothing) q + smoothing / K.
struct CrossEntropy : paribus::Loss {
  struct Params {
    double smoothing = 0;
    std::optional<int> ignore;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("smoothing", &Params::smoothing,
                         "share of the target spread over all classes")
              .at_least(0)
              .at_most(1)
              .live(),
          paribus::field("ignore", &Params::ignore, "the class number whose places don't count")
              .at_least(0)};
    }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    const at::Tensor scores = outputs.main().to(at::kFloat);
    const at::Tensor& target = batch.target();
    if (scores.dim() > 2 && !target.is_floating_point() && fits_places(scores, target))
      return of_numbers(scores.movedim(1, -1).flatten(0, -2), target.flatten());
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
    if (numbers && params.ignore) return of_numbers(scores, target);
    return at::cross_entropy_loss(scores, numbers ? target : target.to(at::kFloat), {},
                                  at::Reduction::Mean,
                                  /*ignore_index=*/-100, params.smoothing);
  }

 private:
  /// [N, K, ...] and [N, ...] or [N, 1, ...].
  static bool fits_places(const at::Tensor& scores, const at::Tensor& target) {
    const bool channel = target.dim() == scores.dim() && target.size(1) == 1;
    return (channel || target.dim() == scores.dim() - 1) && target.size(0) == scores.size(0) &&
           target.sizes().slice(channel ? 2 : 1) == scores.sizes().slice(2);
  }

  /// [N, K] and [N]: the mean over those that count; 0 where none does.
  [[nodiscard]] at::Tensor of_numbers(const at::Tensor& scores, const at::Tensor& target) const {
    const at::Tensor numbers = target.to(at::kLong);
    const std::int64_t ignore = params.ignore.value_or(-100);
    const at::Tensor counts = numbers.ne(ignore);
    if (numbers.is_cpu()) {  // a look at another device's numbers would wait for it
      const auto greatest = numbers.mul(counts).max().item<std::int64_t>();
      if (greatest >= scores.size(1)) {
        throw paribus::Error("loss/cross_entropy: a target is no class, got " +
                             std::to_string(greatest) + ", expected 0 to " +
                             std::to_string(scores.size(1) - 1) + "; if it is void, set ignore");
      }
    }
    return at::cross_entropy_loss(scores, numbers, {}, at::Reduction::Sum, ignore,
                                  params.smoothing) /
           counts.sum().clamp_min(1);
  }
};
PARIBUS_PART(CrossEntropy, "cross_entropy",
             "softmax cross-entropy of class numbers or probabilities, with label smoothing")
