// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <paribus/loss.h>

#include <sstream>
#include <string>
#include <vector>

namespace paribus::losses {

/// The message of a loss whose output and target don't fit.
inline Error does_not_fit(const std::string& who, const at::Tensor& output,
                          const at::Tensor& target, const std::string& expected) {
  std::ostringstream text;
  text << "loss/" << who << ": the model's output and the target don't fit, got " << output.sizes()
       << " and " << target.scalar_type() << ' ' << target.sizes() << ", expected " << expected;
  return Error(text.str());
}

/// The target as float shares in the output's shape [N, K, ...]: class numbers [N, ...] or
/// [N, 1, ...] (masks) become ones and zeros, floats of that shape stay as they are.
inline at::Tensor shares(const std::string& who, const at::Tensor& output,
                         const at::Tensor& target) {
  if (output.dim() >= 2 && target.is_floating_point() && target.sizes() == output.sizes())
    return target.to(at::kFloat);
  at::Tensor numbers = target;
  if (target.dim() == output.dim() && target.dim() > 2 && target.size(1) == 1)
    numbers = target.squeeze(1);
  const bool fits = output.dim() >= 2 && !target.is_floating_point() &&
                    numbers.dim() == output.dim() - 1 && numbers.size(0) == output.size(0) &&
                    numbers.sizes().slice(1) == output.sizes().slice(2);
  if (!fits) {
    throw does_not_fit(who, output, target,
                       "[N, K, ...] and class numbers [N, ...] or float shares [N, K, ...]");
  }
  std::vector<std::int64_t> sizes = numbers.sizes().vec();
  sizes.push_back(output.size(1));
  return at::zeros(sizes, output.options().dtype(at::kFloat))
      .scatter_(-1, numbers.to(at::kLong).unsqueeze(-1), 1)
      .movedim(-1, 1);
}

/// Whether there is one output for each place of the target: a yes or no, its number 1 or 0.
inline bool is_single(const at::Tensor& output, const at::Tensor& target) {
  return output.dim() >= 2 && output.size(1) == 1 && output.numel() == target.numel() &&
         output.size(0) == target.size(0);
}

/// The target of a single output as float shares of its shape. `hint` ends the message about a
/// number that is neither 0 nor 1.
inline at::Tensor single_shares(const std::string& who, const at::Tensor& output,
                                const at::Tensor& target, const std::string& hint) {
  // A look at another device's numbers would wait for it.
  if (target.is_cpu() && !target.is_floating_point() && target.numel() > 0) {
    const at::Tensor numbers = target.to(at::kLong);
    const auto least = numbers.min().item<std::int64_t>();
    const auto greatest = numbers.max().item<std::int64_t>();
    if (least < 0 || greatest > 1) {
      throw Error("loss/" + who + ": a target is no class of one output, got " +
                  std::to_string(least < 0 ? least : greatest) + ", expected 0 or 1; " + hint);
    }
  }
  return target.to(at::kFloat).view_as(output);
}

/// Both as floats of one shape, for losses of real values.
struct Pair {
  at::Tensor output, target;
};
inline Pair real_values(const std::string& who, const Outputs& outputs, const Batch& batch) {
  const at::Tensor& output = outputs.main();
  const at::Tensor& target = batch.target();
  if (!target.is_floating_point() || output.numel() != target.numel() ||
      output.size(0) != target.size(0)) {
    throw does_not_fit(who, output, target,
                       "float tensors of one shape; for class numbers take cross_entropy");
  }
  return {output.to(at::kFloat).view_as(target), target.to(at::kFloat)};
}

}  // namespace paribus::losses
