// SPDX-License-Identifier: Apache-2.0
#include "paribus/groups.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <tuple>

#include "parts.h"

namespace paribus::test {
namespace {

/// Adds each gradient to a slot and moves the weight by it; tells what it was given.
struct Summing : Optimizer {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  void step(Group& g) override {
    had_slot = g.has_slot(*this, "sum");
    const auto& sums = g.slot(*this, "sum");
    given = g.weights.size();
    steps = g.steps;
    for (std::size_t i = 0; i < g.weights.size(); ++i) {
      sums[i].add_(g.grads[i]);
      g.weights[i].sub_(sums[i]);
    }
  }
  void evaluation(Group& g, bool on) override {
    for (const at::Tensor& weight : g.weights) weight.mul_(on ? 2.0 : 0.5);
  }
  bool had_slot = false;
  std::size_t given = 0;
  std::vector<std::int64_t> steps;
};

NamedTensors two_weights() {
  return {{"a", at::ones({2}).set_requires_grad(true)},
          {"b", at::ones({3}).set_requires_grad(true)}};
}

void give(const Groups& groups, std::size_t i, double value) {
  const at::Tensor& weight = groups.weights()[i].second;
  weight.mutable_grad() = at::full_like(weight.detach(), value);
}

TEST(Groups, OnlyWeightsWithAGradientAreStepped) {
  Groups groups(two_weights());
  Summing optimizer;
  optimizer.set_address("optimizer");
  groups.step(optimizer);
  EXPECT_EQ(optimizer.given, 0U);
  EXPECT_EQ(groups.groups()[0].step, 0) << "without gradients there is no step";
  give(groups, 0, 1);
  groups.step(optimizer);
  EXPECT_EQ(optimizer.given, 1U);
  EXPECT_FALSE(optimizer.had_slot);
  give(groups, 0, 1), give(groups, 1, 1);
  groups.step(optimizer);
  EXPECT_TRUE(optimizer.had_slot);
  EXPECT_EQ(optimizer.steps, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(groups.groups()[0].step, 2);
  EXPECT_EQ(groups.weights()[0].second[0].item<double>(), 1 - 1 - 2);
  EXPECT_EQ(groups.weights()[1].second[0].item<double>(), 1 - 1);
  groups.forget_gradients();
  EXPECT_TRUE(groups.gradients().empty());
  give(groups, 1, 1);
  groups.step(optimizer);
  EXPECT_EQ(optimizer.steps, std::vector<std::int64_t>{2});
  EXPECT_EQ(groups.weights()[1].second[0].item<double>(), 0 - 2);
}

TEST(Groups, AGradientForgottenIsHeldByNobody) {
  Groups groups(two_weights());
  Summing optimizer;
  optimizer.set_address("optimizer");
  give(groups, 0, 1);
  const at::Tensor gradient = groups.weights()[0].second.grad();
  groups.step(optimizer);
  groups.forget_gradients();
  EXPECT_EQ(gradient.use_count(), 1U) << "or backward makes the next set beside it";
}

TEST(Groups, SlotsBeginAsZerosOrCopiesAndAreTheOwnersAlone) {
  Groups groups(two_weights());
  Summing outer, inner;
  outer.set_address("optimizer"), inner.set_address("optimizer.inner");
  Group& group = groups.groups()[0];
  const auto slow = group.slot(outer, "x", Group::Init::copy);
  const auto other = group.slot(inner, "x");
  ASSERT_EQ(slow.size(), 2U);
  EXPECT_EQ(slow[0].sum().item<double>(), 2);
  EXPECT_EQ(other[0].sum().item<double>(), 0);
  EXPECT_FALSE(slow[0].requires_grad());
  EXPECT_TRUE(group.has_slot(outer, "x"));
  EXPECT_FALSE(group.has_slot(outer, "y"));
}

TEST(Groups, EqualStepCountsShareATensor) {
  Groups groups(two_weights());
  Summing optimizer;
  give(groups, 0, 1), groups.step(optimizer);
  give(groups, 0, 1), give(groups, 1, 1), groups.step(optimizer);
  const auto& apart = groups.groups()[0].step_tensors();
  EXPECT_EQ(apart[0].item<float>(), 2);
  EXPECT_EQ(apart[1].item<float>(), 1);
  Groups even(two_weights());
  give(even, 0, 1), give(even, 1, 1), even.step(optimizer);
  const auto& shared = even.groups()[0].step_tensors();
  EXPECT_TRUE(shared[0].is_same(shared[1]));
}

TEST(Groups, EvaluationGoesOverAllWeights) {
  Groups groups(two_weights());
  Summing optimizer;
  give(groups, 0, 1), groups.step(optimizer);  // lists one of them
  const at::Tensor before = groups.weights()[1].second.detach().clone();
  groups.evaluation(optimizer, true);
  EXPECT_TRUE(same_bits(groups.weights()[1].second, before.mul(2)));
  groups.evaluation(optimizer, false);
  EXPECT_TRUE(same_bits(groups.weights()[1].second, before));
}

TEST(Groups, GoOnBitForBitFromWhatWasSaved) {
  Groups first(two_weights()), second(two_weights());
  Summing optimizer;
  optimizer.set_address("optimizer");
  give(first, 0, 0.3), first.step(optimizer);
  first.forget_gradients();
  give(first, 0, 0.1), give(first, 1, 0.7), first.step(optimizer);
  NamedTensors saved;
  first.save(saved);
  {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < 2; ++i) second.weights()[i].second.copy_(first.weights()[i].second);
  }
  second.load({saved.begin(), saved.end()});
  for (Groups* groups : {&first, &second}) {
    groups->forget_gradients();
    give(*groups, 0, 0.2), give(*groups, 1, 0.9), groups->step(optimizer);
    EXPECT_EQ(optimizer.steps, (std::vector<std::int64_t>{3, 2}));
    EXPECT_TRUE(optimizer.had_slot);
  }
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(same_bits(first.weights()[i].second, second.weights()[i].second));
}

TEST(Groups, WhatDoesNotFitTheModelIsRefused) {
  Groups groups(two_weights());
  Summing optimizer;
  optimizer.set_address("optimizer");
  give(groups, 0, 1), give(groups, 1, 1), groups.step(optimizer);
  NamedTensors list;
  groups.save(list);
  const TensorMap saved(list.begin(), list.end());
  const auto refusal = [&](const TensorMap& map, NamedTensors weights) {
    return error_of([&] { Groups(std::move(weights)).load(map); });
  };
  EXPECT_EQ(refusal({}, two_weights()),
            "checkpoint: the optimizer's step counts don't fit the model's weights");
  EXPECT_EQ(refusal(saved, {{"a", at::ones({2})}}),
            "checkpoint: the optimizer's step counts don't fit the model's weights");
  EXPECT_EQ(refusal(saved, {{"a", at::ones({2})}, {"c", at::ones({3})}}),
            "checkpoint: 'optimizer/0/slot/optimizer/sum/b' doesn't fit the model's weights");
  EXPECT_EQ(refusal(saved, {{"a", at::ones({2})}, {"b", at::ones({4})}}),
            "checkpoint: 'optimizer/0/slot/optimizer/sum/b' doesn't fit the model's weights");
  TensorMap floats = saved;
  floats["optimizer/0/steps"] = at::ones({3});
  EXPECT_EQ(refusal(floats, two_weights()),
            "checkpoint: the optimizer's step counts don't fit the model's weights");
}

NamedTensors named(const std::vector<std::string>& names) {
  NamedTensors weights;
  for (const std::string& name : names)
    weights.emplace_back(name, at::ones({2}).set_requires_grad(true));
  return weights;
}

std::vector<std::size_t> layers(const std::vector<std::string>& names,
                                const std::vector<std::string>& begins = {}) {
  const Groups groups(named(names), begins);
  std::vector<std::size_t> list;
  for (std::size_t i = 0; i < names.size(); ++i) list.push_back(groups.layer_of(i));
  EXPECT_EQ(groups.layers(), list.back() + 1);
  return list;
}

using Layers = std::vector<std::size_t>;

TEST(GroupsLayers, AreWhereTheModelSaysThatTheyBegin) {
  EXPECT_EQ(layers({"conv.weight", "layer1.0.weight", "layer1.1.weight", "fc.weight", "fc.bias"},
                   {"layer1", "fc"}),
            (Layers{0, 1, 1, 2, 2}));
  EXPECT_EQ(layers({"f.weight", "fc.weight", "fc.bias"}, {"fc.bias"}), (Layers{0, 0, 1}));
}

TEST(GroupsLayers, AreBodyAndLastModuleUnlessItSaysSo) {
  EXPECT_EQ(layers({"stem.weight", "body.0.weight", "head.weight", "head.bias"}),
            (Layers{0, 0, 1, 1}));
  EXPECT_EQ(layers({"layers.0.weight", "layers.0.bias", "layers.10.weight", "layers.1.weight"}),
            (Layers{0, 0, 0, 1}))
      << "below what all names share";
  EXPECT_EQ(layers({"a.fc.weight", "a.fc.bias"}), (Layers{0, 0})) << "there is one module";
  EXPECT_EQ(layers({"weight", "bias"}), (Layers{0, 0}));
  EXPECT_EQ(Groups({}).layers(), 0U);
}

TEST(GroupsLayers, ThatBeginNowhereAreRefused) {
  EXPECT_EQ(error_of([] {
              layers({"a.weight", "b.weight"}, {"c"});
            }),
            "model: a layer group is said to begin at 'c', where there is no weight");
  EXPECT_EQ(error_of([] {
              layers({"a.weight", "b.weight"}, {"b", "a"});
            }),
            "model: a layer group is said to begin at 'a', where there is no weight after the one "
            "before it");
}

/// Tells which rates it was called with, for how many weights.
struct Telling : Optimizer {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  void step(Group& g) override {
    calls.emplace_back(g.lr_scale, g.decay_scale, g.weights.size());
    (void)g.slot(*this, "kept");
  }
  std::vector<std::tuple<double, double, std::size_t>> calls;
};
using Calls = decltype(Telling::calls);

TEST(GroupsRates, WeightsThatShareTheirRatesAreSteppedTogether) {
  Groups groups(named({"a", "b", "c"}));
  Telling::Whole<Telling> optimizer;
  optimizer.set_address("optimizer");
  const auto step = [&] {
    optimizer.calls.clear();
    for (std::size_t i = 0; i < 3; ++i) give(groups, i, 1);
    groups.step(optimizer);
  };
  step();
  EXPECT_EQ(optimizer.calls, (Calls{{1, 1, 3}}));
  groups.scale({1, 0.5, 1}, {1, 1, 1}), step();
  EXPECT_EQ(optimizer.calls, (Calls{{0.5, 1, 1}, {1, 1, 2}}));
  groups.scale({1, 1, 1}, {0, 0, 1}), step();
  EXPECT_EQ(optimizer.calls, (Calls{{1, 0, 2}, {1, 1, 1}}));
  groups.scale({2, 2, 2}, {0, 0, 0}), step();
  EXPECT_EQ(optimizer.calls, (Calls{{2, 0, 3}})) << "all alike: one call, as without factors";
  groups.scale({1, 1, 1}, {1, 1, 1}), step();
  EXPECT_EQ(optimizer.calls, (Calls{{1, 1, 3}}));
  EXPECT_EQ(groups.groups()[0].step, 5) << "an update is one, in how many calls ever";
}

TEST(GroupsRates, AWrapperSeesAllWeightsAndTheInnerOptimizerItsOwn) {
  struct Wrapper : Optimizer {
    struct Params {
      Part<Optimizer> inner{"telling"};
      static constexpr auto fields() { return std::tuple{field("inner", &Params::inner, "it")}; }
    } params;
    void step(Group& g) override {
      seen = g.weights.size();
      params.inner->step(g);
      EXPECT_EQ(g.weights.size(), seen);
      EXPECT_EQ(g.lr_scale, 1);
    }
    std::size_t seen = 0;
  };
  Groups groups(named({"a", "b", "c"}));
  groups.scale({1, 0.5, 1}, {1, 1, 1});
  Telling::Whole<Telling> inner;
  Wrapper::Whole<Wrapper> wrapper;
  wrapper.params.inner.fill(&inner);
  for (std::size_t i = 0; i < 3; ++i) give(groups, i, 1);
  groups.step(wrapper);
  EXPECT_EQ(wrapper.seen, 3U);
  EXPECT_EQ(inner.calls, (Calls{{0.5, 1, 1}, {1, 1, 2}}));
}

TEST(GroupsRates, AnInnerOptimizerLeavesTheOutersRatesAsTheyWere) {
  struct Outer : Optimizer {
    struct Params {
      Part<Optimizer> rest{"telling"};
      static constexpr auto fields() { return std::tuple{field("rest", &Params::rest, "it")}; }
    } params;
    void step(Group& g) override {
      const double before = g.lr_scale;
      params.rest->step(g);
      EXPECT_EQ(g.lr_scale, before);
      seen.push_back(before);
    }
    std::vector<double> seen;
  };
  Groups groups(named({"a", "b", "c"}));
  groups.scale({1, 0.5, 1}, {1, 1, 1});
  Telling::Whole<Telling> inner;
  Outer::Whole<Outer> outer;
  outer.params.rest.fill(&inner);
  for (std::size_t i = 0; i < 3; ++i) give(groups, i, 1);
  groups.step(outer);
  EXPECT_EQ(outer.seen, (std::vector<double>{0.5, 1}));
  EXPECT_EQ(inner.calls, (Calls{{0.5, 1, 1}, {1, 1, 2}}));
}

TEST(GroupsRates, ASlotIsNewForThoseThatHadNone) {
  struct Asking : Optimizer {
    struct Params {
      static constexpr auto fields() { return no_fields(); }
    } params;
    void step(Group& g) override {
      had.push_back(g.has_slot(*this, "x"));
      (void)g.slot(*this, "x");
    }
    std::vector<bool> had;
  };
  Groups groups(named({"a", "b"}));
  groups.scale({0.5, 1}, {1, 1});
  Asking::Whole<Asking> optimizer;
  optimizer.set_address("optimizer");
  for (int i = 0; i < 2; ++i) {
    give(groups, 0, 1), give(groups, 1, 1);
    groups.step(optimizer);
  }
  EXPECT_EQ(optimizer.had, (std::vector<bool>{false, false, true, true}));
}

TEST(GroupsFreeze, FrozenWeightsRequireNoGradientWhileABatchIsUnderWay) {
  Groups groups(named({"a", "b"}));
  const auto required = [&] {
    std::vector<bool> list;
    for (const auto& [name, weight] : groups.weights()) list.push_back(weight.requires_grad());
    return list;
  };
  groups.rest(true);
  EXPECT_EQ(required(), (std::vector<bool>{true, true}));
  groups.freeze({true, false});
  EXPECT_EQ(required(), (std::vector<bool>{true, true})) << "models list those that require one";
  groups.rest(true);
  EXPECT_EQ(required(), (std::vector<bool>{false, true}));
  at::mul(groups.weights()[0].second, groups.weights()[1].second).sum().backward();
  EXPECT_FALSE(groups.weights()[0].second.grad().defined());
  EXPECT_TRUE(groups.weights()[1].second.grad().defined());
  groups.rest(false);
  EXPECT_EQ(required(), (std::vector<bool>{true, true}));
}

}  // namespace
}  // namespace paribus::test
