// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>

#include "targets.h"

/// 1 - (2 sum p q + smooth) / (sum p + sum q + smooth), sums over the places of an item, averaged
/// over items and classes (Milletari, Navab, Ahmadi 2016, with the plain sums of fastai's
/// DiceLoss). Places whose class is `ignore` are in no sum. p is the softmax of the scores over the
/// classes, or with one output its sigmoid.
struct Dice : paribus::Loss {
  struct Params {
    double smooth = 1e-6;
    std::optional<int> ignore;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("smooth", &Params::smooth,
                         "added above and below, for classes that aren't there")
              .above(0)
              .live(),
          paribus::field("ignore", &Params::ignore, "the class number whose places don't count")
              .at_least(0)};
    }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    const at::Tensor scores = outputs.main().to(at::kFloat);
    at::Tensor target = batch.target();
    at::Tensor counts;
    if (params.ignore && !target.is_floating_point()) {
      counts = target.ne(*params.ignore);
      target = target.mul(counts);
    }
    const bool single = paribus::losses::is_single(scores, target);
    at::Tensor p = single ? at::sigmoid(scores) : at::softmax(scores, 1);
    at::Tensor q =
        single ? paribus::losses::single_shares("dice", scores, target, "if it is void, set ignore")
               : paribus::losses::shares("dice", scores, target);
    if (counts.defined()) {
      if (counts.dim() < p.dim()) counts = counts.unsqueeze(1);
      p = p * counts, q = q * counts;
    }
    const auto places = [](const at::Tensor& x) { return x.dim() > 2 ? x.flatten(2).sum(2) : x; };
    const at::Tensor dice = (2 * places(p * q) + params.smooth) / (places(p + q) + params.smooth);
    return (1 - dice).mean();
  }
};
PARIBUS_PART(Dice, "dice", "how little the scored and the true places of each class overlap")
