// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/cross_entropy_loss.h>
#include <paribus/loss.h>

/// (1 - p)^gamma times the cross-entropy -log p of each item: what is right already counts less
/// (focal loss, Lin et al. 2017).
struct MyPart : paribus::Loss {
  struct Params {
    double gamma = 2;
    static constexpr auto fields() {
      return std::tuple{
          paribus::field("gamma", &Params::gamma, "0: cross-entropy").at_least(0).live()};
    }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    if (batch.target().dim() != 1)
      throw paribus::Error("loss/my_part: got a target of shares, expected class numbers");
    const at::Tensor each = at::cross_entropy_loss(outputs.main().to(at::kFloat), batch.target(),
                                                   {}, at::Reduction::None);
    return each.neg().exp().neg().add(1).pow(params.gamma).mul(each).mean();
  }
};
PARIBUS_PART(MyPart, "my_part", "cross-entropy that cares less for what is right already")
