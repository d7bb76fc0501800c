// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <paribus/metric.h>

#include <sstream>
#include <string>

namespace paribus::metrics {

/// The message of a metric whose output and target don't fit.
inline Error does_not_fit(const std::string& who, const at::Tensor& output,
                          const at::Tensor& target, const std::string& expected) {
  std::ostringstream text;
  text << "metric/" << who << ": the model's output and the target don't fit, got "
       << output.sizes() << " and " << target.scalar_type() << ' ' << target.sizes()
       << ", expected " << expected;
  return Error(text.str());
}

}  // namespace paribus::metrics
