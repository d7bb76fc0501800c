// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "paribus/optimizer.h"
#include "paribus/tensors.h"

namespace paribus {

/// What an optimizer keeps for each weight, declared once, as a member: `Kept mean{"mean"};`. Zeros
/// shaped like the weight, or what `make` makes of it; saved with checkpoints.
struct Kept {
  std::string_view name;
  Group::Make make{};
};

/// What a formula has at hand: weights that have been updated equally often, their gradients, and
/// the rates that hold for them.
struct Update {
  Tensors weights, grads;
  double lr = 0;            // the parameter `lr`, scaled for the group
  double weight_decay = 0;  // the parameter `weight_decay`, scaled for the group
  std::int64_t t = 0;       // updates of these weights, this one included: 1 at the first

  /// What is kept for these weights.
  Tensors operator[](const Kept& kept) const;

  Group& group;
  const PartBase& owner;
};

/// An optimizer that is its formula; loops, groups, guards and state are the kernel's. With `lr`
/// and, if there is one, `weight_decay` among its parameters:
///
///     paribus::Kept mean{"mean"};
///     void update(const paribus::Update& u) override {
///       average(u[mean], u.grads, params.beta);
///       u.weights -= u.lr * u[mean];
///     }
class GenericOptimizer : public Optimizer {
 public:
  virtual void update(const Update& u) = 0;

  void step(Group& group) override;

  template <class T>
  struct Whole : Optimizer::Whole<T> {
   private:
    [[nodiscard]] double decay() const final {
      if constexpr (requires(const T& part) { part.params.weight_decay; }) {
        return T::params.weight_decay;
      } else {
        return 0;
      }
    }
  };

 private:
  /// The parameter `weight_decay`, or 0. Made by the kernel.
  [[nodiscard]] virtual double decay() const { return 0; }
};

// Statistics.

/// mean = beta mean + (1 - beta) x
void average(const Tensors& mean, const Tensors& x, double beta);
/// mean = beta mean + (1 - beta) x^2
void average_square(const Tensors& mean, const Tensors& x, double beta);
/// 1 - beta^t: an average that began with zeros is too small by this factor.
double debias(double beta, std::int64_t t);

// Steps.

/// w -= lr weight_decay w, apart from the gradient (Loshchilov and Hutter 2019).
void decay_weights(const Update& u);
/// The gradients of a loss with weight_decay |w|^2 / 2 added: g + weight_decay w.
Tensors decayed_grads(const Update& u);
/// |w| / |step| for each weight, 1 where either is 0 (You et al. 2020).
at::Tensor trust_ratio(const Tensors& weights, const Tensors& step);

// Parameters that many optimizers have, with their bounds.

template <class Owner>
constexpr auto rate_field(double Owner::*member) {
  return field("lr", member, "learning rate").at_least(0).live();
}
template <class Owner>
constexpr auto decoupled_decay_field(double Owner::*member) {
  return field("weight_decay", member, "decoupled: w *= 1 - lr weight_decay").at_least(0).live();
}
template <class Owner>
constexpr auto l2_field(double Owner::*member) {
  return field("weight_decay", member, "L2: times the weight, joins the gradient")
      .at_least(0)
      .live();
}
template <class Owner>
constexpr auto beta_field(std::string_view name, double Owner::*member, std::string_view doc) {
  return field(name, member, doc).at_least(0).below(1).live();
}
template <class Owner>
constexpr auto eps_field(double Owner::*member) {
  return field("eps", member, "added to the root, against division by zero").at_least(0).live();
}

}  // namespace paribus
