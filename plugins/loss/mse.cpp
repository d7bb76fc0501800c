// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/mse_loss.h>
#include <paribus/loss.h>

#include <sstream>

/// Mean over all elements of (output - target)^2.
struct Mse : paribus::Loss {
  struct Params {
    static constexpr auto fields() { return paribus::no_fields(); }
  } params;

  at::Tensor operator()(const paribus::Outputs& outputs,
                        const paribus::Batch& batch) const override {
    const at::Tensor& output = outputs.main();
    const at::Tensor& target = batch.target();
    if (!target.is_floating_point() || output.numel() != target.numel() ||
        output.size(0) != target.size(0)) {
      std::ostringstream text;
      text << "loss/mse: the model's output and the target don't fit, got " << output.sizes()
           << " and " << target.scalar_type() << ' ' << target.sizes()
           << ", expected float tensors of one shape; for class numbers take cross_entropy";
      throw paribus::Error(text.str());
    }
    return at::mse_loss(output.to(at::kFloat).view_as(target), target.to(at::kFloat));
  }
};
PARIBUS_PART(Mse, "mse", "mean squared error")
