// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "paribus/plugin.h"

namespace paribus {

/// Weights that are stepped together, and what optimizers keep for them. Only weights that have a
/// gradient this time are listed; `weights[i]`, `grads[i]`, `steps[i]` and `slot(...)[i]` belong
/// together.
class Group {
 public:
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> grads;
  std::vector<std::int64_t> steps;  // updates of each weight, this one included: 1 at the first
  std::int64_t step = 0;            // updates of the group, this one included
  double lr_scale = 1;              // discriminative rates: multiply the learning rate by it
  double decay_scale = 1;           // 0 where weight decay must not act

  enum class Init : std::uint8_t { zeros, copy };

  /// Tensors shaped like the weights that stay from step to step and are saved with checkpoints.
  /// Made at the first call for a weight: zeros, or a copy of the weight as it is then. `owner`
  /// keeps wrapped optimizers apart.
  [[nodiscard]] const std::vector<at::Tensor>& slot(const PartBase& owner, std::string_view name,
                                                    Init init = Init::zeros);
  /// The same before the first step ever made it: false. For optimizers that treat their first step
  /// apart.
  [[nodiscard]] bool has_slot(const PartBase& owner, std::string_view name) const;
  /// `steps` as the 0-d float tensors that LibTorch's fused kernels want; equal counts share one
  /// tensor.
  [[nodiscard]] const std::vector<at::Tensor>& step_tensors();

 private:
  friend class Groups;
  struct Slot {
    std::vector<at::Tensor> all;     // one per weight of the group, undefined until first used
    std::vector<at::Tensor> active;  // those of `weights`, when some have no gradient
  };
  std::vector<at::Tensor> all_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> all_steps_;
  std::vector<std::size_t> active_;  // which of all_ are listed; empty: all of them
  std::vector<at::Tensor> step_tensors_;
  std::map<std::string, Slot, std::less<>> slots_;
};

/// Changes weights by their gradients. The kernel owns the loop over groups, the no-grad guard, the
/// step count and the state; an optimizer is its formula, on whole lists, so that LibTorch's fused
/// and foreach kernels serve it.
///
///     void step(paribus::Group& g) override {
///       const auto& momentum = g.slot(*this, "momentum");
///       at::_foreach_mul_(momentum, params.momentum);
///       at::_foreach_add_(momentum, g.grads);
///       at::_foreach_add_(g.weights, momentum, -params.lr * g.lr_scale);
///     }
///
/// By custom the learning rate is the live parameter `lr` and decoupled or L2 decay is
/// `weight_decay`. A wrapper holds a `Part<Optimizer> inner` and calls `params.inner->step(g)`; the
/// driven rate is then `optimizer.inner.lr`, and `optimizer.lr` in a schedule reaches it, too, when
/// the wrapper has no `lr` of its own.
class Optimizer : public PartBase {
 public:
  static constexpr std::string_view kKind = "optimizer";

  virtual void step(Group& group) = 0;
  /// For methods that evaluate on other weights than they train (Lookahead, schedule-free): true
  /// puts those in place of `all_weights`, false puts the training weights back. Calls come in
  /// pairs, with no step in between.
  virtual void evaluation(Group& /*group*/, bool /*on*/) {}

  template <class T>
  static constexpr void describe(manifest_detail::Text& /*out*/, const T* /*part*/) {}
};

}  // namespace paribus
