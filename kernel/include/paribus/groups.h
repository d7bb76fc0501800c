// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "paribus/optimizer.h"
#include "paribus/state.h"

namespace paribus {

/// Tensors of a checkpoint by name.
using TensorMap = std::map<std::string, at::Tensor, std::less<>>;

/// A model's weights in groups, with what optimizers keep for them. The kernel's side of
/// optimizer.h.
class Groups {
 public:
  /// One group of all weights.
  explicit Groups(NamedTensors weights);

  [[nodiscard]] std::vector<Group>& groups() { return groups_; }
  [[nodiscard]] const NamedTensors& weights() const { return weights_; }

  /// What Group::pass_again calls, with no gradients there: forward and backward over the batches
  /// of the update under way; false if the gradients overflowed. Without it such optimizers throw.
  using Passes = std::function<bool(const PartBase& owner, const Group::Loss& loss)>;
  void set_passes(Passes passes) { passes_ = std::move(passes); }

  /// One update: lists the weights that have gradients, counts the step, and lets the optimizer
  /// act.
  void step(Optimizer& optimizer);
  /// Puts evaluation weights in place (`on`) or training weights back.
  void evaluation(Optimizer& optimizer, bool on);
  /// Drops all gradients, as torch's set_to_none does.
  void forget_gradients();
  /// All gradients that are there.
  [[nodiscard]] std::vector<at::Tensor> gradients() const;

  void save(NamedTensors& out) const;
  /// Throws Error if the checkpoint doesn't fit these weights.
  void load(const TensorMap& saved);

 private:
  bool pass_again(Group& group, const PartBase& owner, const Group::Loss& loss) const;

  NamedTensors weights_;
  Passes passes_;
  std::vector<Group> groups_;
};

}  // namespace paribus
