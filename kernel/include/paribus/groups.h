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
  /// One group of all weights. `begins`: where the model says that its layer groups begin.
  explicit Groups(NamedTensors weights, const std::vector<std::string>& begins = {});

  [[nodiscard]] std::vector<Group>& groups() { return groups_; }
  [[nodiscard]] const NamedTensors& weights() const { return weights_; }

  /// Layer groups, from the input to the head (Model::layer_groups): how many there are, and the
  /// one that weight i lies in.
  [[nodiscard]] std::size_t layers() const { return layers_.empty() ? 0 : layers_.back() + 1; }
  [[nodiscard]] std::size_t layer_of(std::size_t i) const { return layers_[i]; }

  /// From the next update on the learning rate and the decay of weight i are multiplied by `lr[i]`
  /// and `decay[i]`. No part of a checkpoint. REQUIRES: one of each for every weight.
  void scale(std::vector<double> lr, std::vector<double> decay);
  /// From the next batch on weight i gets no gradient where `frozen[i]`: backward leaves it out, no
  /// optimizer sees it. No part of a checkpoint. REQUIRES: one for every weight.
  void freeze(const std::vector<bool>& frozen);
  /// Frozen weights require no gradient between `on` and off: while a batch goes forward and back.
  void rest(bool on);

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
  std::vector<std::size_t> layers_;  // of each weight
  std::vector<at::Tensor> frozen_;
  Passes passes_;
  std::vector<Group> groups_;
};

}  // namespace paribus
