// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "paribus/model_base.h"
#include "paribus/spec.h"
#include "paribus/state.h"

namespace paribus {

/// Where and in which number formats a trial computes. Weights are always fp32; bf16 and fp16 are
/// autocast.
class Precision {
 public:
  Precision() = default;
  /// Settles what "auto" means for this machine and model. Throws Error for what the machine hasn't
  /// got.
  Precision(const TrainSettings& settings, const Model& model);

  [[nodiscard]] const at::Device& device() const { return device_; }
  [[nodiscard]] bool channels_last() const { return channels_last_; }
  [[nodiscard]] std::string device_name() const { return device_.is_cuda() ? "cuda" : "cpu"; }
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string memory_format() const {
    return channels_last_ ? "channels_last" : "contiguous";
  }

  /// Brings a batch where the model is, in its memory format.
  void place(Batch& batch) const;

  /// Autocast for the life of the guard, where asked for.
  class Guard {
   public:
    explicit Guard(const Precision& precision);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    const Precision& precision_;
  };

  // Loss scaling, for fp16 only: scale up before backward, bring gradients back, skip updates that
  // overflowed.
  [[nodiscard]] at::Tensor scaled(const at::Tensor& loss) const;
  /// Returns false if the update must be skipped; adapts the scale (halved at once, doubled after
  /// 2,000 good updates).
  [[nodiscard]] bool unscale(const std::vector<at::Tensor>& gradients);
  void state(State& state);

 private:
  at::Device device_{at::kCPU};
  at::ScalarType compute_ = at::kFloat;
  bool channels_last_ = false;
  double scale_ = 65536;
  std::int64_t good_updates_ = 0;
};

/// Norm of all gradients together is brought down to `norm`, each element to +-`value`; 0 leaves
/// either out.
void clip(const std::vector<at::Tensor>& gradients, double norm, double value);

}  // namespace paribus
