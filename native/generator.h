// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/Context.h>

namespace paribus::python {

/// Puts LibTorch's generator back where it was: what a trial draws is no draw of its user's.
class GeneratorKept {
 public:
  GeneratorKept() : state_(generator_.get_state()) {}
  ~GeneratorKept() { generator_.set_state(state_); }
  GeneratorKept(const GeneratorKept&) = delete;
  GeneratorKept& operator=(const GeneratorKept&) = delete;

  void seed(std::uint64_t seed) { generator_.set_current_seed(seed); }

 private:
  at::Generator generator_ = at::globalContext().defaultGenerator(at::kCPU);
  at::Tensor state_;
};

}  // namespace paribus::python
