// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <paribus/metric.h>

#include <cmath>
#include <string>

#include "fit.h"

namespace paribus::metrics {

/// Output and target of real values as doubles of the target's shape.
struct Pair {
  at::Tensor output, target;
};
inline Pair real_values(const std::string& who, const Outputs& outputs, const Batch& batch) {
  const at::Tensor& output = outputs.main();
  const at::Tensor& target = batch.target();
  if (target.is_floating_point() && output.numel() == target.numel() &&
      output.size(0) == target.size(0))
    return {output.to(at::kDouble).view_as(target), target.to(at::kDouble)};
  throw does_not_fit(who, output, target, "float tensors of one shape");
}

/// Sum and count of numbers over a split. The sum stays on the device until asked for.
class Mean {
 public:
  void reset() { sum_.reset(), count_ = 0; }
  void add(const at::Tensor& values) {
    const at::Tensor part = values.sum();
    sum_ = sum_.defined() ? sum_.add(part) : part;
    count_ += values.numel();
  }
  [[nodiscard]] double value() const {
    return count_ == 0 ? std::nan("") : sum_.item<double>() / static_cast<double>(count_);
  }

 private:
  at::Tensor sum_;
  std::int64_t count_ = 0;
};

}  // namespace paribus::metrics
