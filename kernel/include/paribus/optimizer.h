// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "paribus/plugin.h"

namespace paribus {

struct Batch;
class Draws;
class Outputs;

/// Weights that are stepped together, and what optimizers keep for them. Only weights that have a
/// gradient this time are listed; `weights[i]`, `grads[i]`, `steps[i]` and `slot(...)[i]` belong
/// together. All that are listed share their scales, but for who sees all weights at once (see
/// Optimizer).
class Group {
 public:
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> grads;
  std::vector<std::int64_t> steps;  // updates of each weight, this one included: 1 at the first
  std::int64_t step = 0;            // updates of the group, this one included
  double lr_scale = 1;              // discriminative rates: multiply the learning rate by it
  double decay_scale = 1;           // multiply weight decay by it: 0 where none must act

  enum class Init : std::uint8_t { zeros, copy };

  /// Tensors shaped like the weights that stay from step to step and are saved with checkpoints.
  /// Made at the first call for a weight: zeros, or a copy of the weight as it is then. `owner`
  /// keeps wrapped optimizers apart.
  [[nodiscard]] const std::vector<at::Tensor>& slot(const PartBase& owner, std::string_view name,
                                                    Init init = Init::zeros);
  /// The same with what `make` makes of each weight: factors, matrices, single numbers.
  using Make = std::function<at::Tensor(const at::Tensor& weight)>;
  [[nodiscard]] const std::vector<at::Tensor>& slot(const PartBase& owner, std::string_view name,
                                                    const Make& make);
  /// False before the first step of those that are listed. For optimizers that treat their first
  /// step apart.
  [[nodiscard]] bool has_slot(const PartBase& owner, std::string_view name) const;
  /// `steps` as the 0-d float tensors that LibTorch's fused kernels want; equal counts share one
  /// tensor.
  [[nodiscard]] const std::vector<at::Tensor>& step_tensors();

  /// Lists only the weights of these places, in this order, while `act` runs: for methods that
  /// treat some apart. REQUIRES: ascending places among those listed.
  void among(const std::vector<std::size_t>& places, const std::function<void()>& act);

  /// Lists those weights only that share their scales, while `act` runs, one such set after the
  /// other; once where all do.
  void by_rates(const std::function<void()>& act);

  /// For methods that want gradients at other weights (SAM) or of another loss (Sophia), and say so
  /// in Optimizer::needs_passes. Sends the batches of this update forward and backward once more,
  /// at the weights as they are now, and puts the new gradients into `grads`; random draws are
  /// those of the first pass, buffers stay as they are. Without `loss` they are those of the
  /// training's loss, clipped as it is; else of `loss`, a mean over the batch's items, whose draws
  /// are `owner`'s own. False: they overflowed (fp16 only); undo what was done and leave the update
  /// out. Throws Error where there is nothing to pass again.
  using Loss = std::function<at::Tensor(const Outputs&, const Batch&, Draws&)>;
  [[nodiscard]] bool pass_again(const PartBase& owner, const Loss& loss = {});

 private:
  friend class Groups;
  struct Slot {
    std::vector<at::Tensor> all;     // one per weight of the group, undefined until first used
    std::vector<at::Tensor> active;  // those of `weights`, when that aren't all
    std::vector<at::Tensor> loaded;  // from a checkpoint, until `make` tells where they belong
    bool shaped_as_weights = true;
  };
  [[nodiscard]] std::size_t place(std::size_t i) const { return active_.empty() ? i : active_[i]; }
  const std::vector<at::Tensor>& listed(Slot& slot, const Make& make);
  void load_slot(const std::string& name, const std::pair<const std::string, at::Tensor>& saved,
                 bool shaped_as_weights);
  std::vector<at::Tensor> all_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> all_steps_;
  std::vector<double> lr_scales_, decay_scales_;  // of all_; empty: all share those above
  std::vector<std::size_t> active_;               // which of all_ are listed; empty: all of them
  std::function<bool(const PartBase&, const Loss&)> pass_again_;
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
///
/// Where weights have rates of their own, `step` is called for each set that shares them. Who has
/// an `inner`, or says `static constexpr bool kSeesAll = true`, gets all weights in one call, and
/// calls Group::by_rates where it steps them itself.
class Optimizer : public PartBase {
 public:
  static constexpr std::string_view kKind = "optimizer";

  virtual void step(Group& group) = 0;
  /// For methods that evaluate on other weights than they train (Lookahead, schedule-free): true
  /// puts those in place of `all_weights`, false puts the training weights back. Calls come in
  /// pairs, with no step in between.
  virtual void evaluation(Group& /*group*/, bool /*on*/) {}
  /// True for a method that calls Group::pass_again; a wrapper needn't ask its inner part.
  [[nodiscard]] virtual bool needs_passes() const { return false; }
  /// The learning rate, for wrappers that weigh steps by it: the parameter `lr`, or that of the
  /// part in `inner`, or 1. Made by the kernel.
  [[nodiscard]] virtual double rate() const { return 1; }

  static constexpr bool kSeesAll = false;

  template <class T>
  struct Whole : T {
    void step(Group& group) final {
      if constexpr (T::kSeesAll || requires(const T& part) { part.params.inner->rate(); }) {
        T::step(group);
      } else {
        group.by_rates([&] { T::step(group); });
      }
    }
    [[nodiscard]] double rate() const final {
      if constexpr (requires(const T& part) { part.params.lr; }) {
        return T::params.lr;
      } else if constexpr (requires(const T& part) { part.params.inner->rate(); }) {
        return T::params.inner->rate();
      } else {
        return 1;
      }
    }
  };

  template <class T>
  static constexpr void describe(manifest_detail::Text& /*out*/, const T* /*part*/) {}
};

}  // namespace paribus
