// SPDX-License-Identifier: Apache-2.0
#include "paribus/generic_optimizer.h"

#include <ATen/Functions.h>

#include "paribus/groups.h"
#include "parts.h"

namespace paribus::test {
namespace {

std::vector<at::Tensor> two(double a, double b) { return {at::full({2}, a), at::full({3, 2}, b)}; }

/// That all elements of each tensor are the number given for it.
void expect(const Tensors& x, double a, double b) {
  EXPECT_TRUE(at::allclose(x[0], at::full({2}, a))) << x[0];
  EXPECT_TRUE(at::allclose(x[1], at::full({3, 2}, b))) << x[1];
}

TEST(TensorLists, FormulasMeanWhatTheySay) {
  const Tensors x = two(4, 9), y = two(2, 3);
  expect(x + y, 6, 12);
  expect(x - y, 2, 6);
  expect(x * y, 8, 27);
  expect(x / y, 2, 3);
  expect(x + 0.5, 4.5, 9.5);
  expect(x + 2 * y, 8, 15);
  expect(Made(2 * x * y), 16, 54);
  expect(Made(3 * x / y), 6, 9);
  expect(Made(x / 4), 1, 2.25);
  expect(sqrt(x) + x * y, 10, 30);
  expect((sqrt(x) + 1) / y, 1.5, 4.0 / 3);
  expect(x - y * y, 0, 0);
  expect(sign(y - x), -1, -1);
  expect(abs(y - x), 2, 6);
  expect(at_most(x + 0, 5), 4, 5);
  expect(at_least(x - y, 3), 3, 6);
  expect(larger(x, 3 * y), 6, 9);
  expect(between(x, y, 0.25), 3.5, 7.5);
  expect(x * at::tensor({2.0, 10.0}), 8, 90);
  EXPECT_TRUE(at::allclose(norms(x), at::tensor({std::sqrt(32.0), std::sqrt(486.0)}, at::kFloat)));
  expect(x, 4, 9), expect(y, 2, 3);  // what has a name stays as it was
}

TEST(TensorLists, AssignmentsChangeTheTensorsThemselves) {
  const std::vector<at::Tensor> tensors = two(4, 9);
  const Tensors x = tensors, y = two(2, 3);
  x += y, expect(tensors, 6, 12);
  x -= 2 * y, expect(tensors, 2, 6);
  x += 2 * y * y, expect(tensors, 10, 24);
  x -= 2.0 * y / y, expect(tensors, 8, 22);
  x *= 0.5, expect(tensors, 4, 11);
  x /= y, expect(tensors, 2, 11.0 / 3);
  x *= at::tensor({3.0, 6.0}), expect(tensors, 6, 22);
  x.go_towards(y, 0.5), expect(tensors, 4, 12.5);
  x.become(y), expect(tensors, 2, 3);
  const Tensors other = two(7, 8);
  swap_values(x, other), expect(tensors, 7, 8), expect(other, 2, 3);
}

TEST(TensorLists, WhatAnOperationMadeIsTakenOverByTheNext) {
  const Tensors x = two(4, 9);
  Made root = sqrt(x);
  const void* const memory = root[0].const_data_ptr();
  const Made sum = std::move(root) + 1;
  EXPECT_EQ(sum[0].const_data_ptr(), memory);
  const Made copied = copy(x);
  EXPECT_NE(copied[0].const_data_ptr(), x[0].const_data_ptr());
}

TEST(TensorLists, NormsOfZeroGiveTheRatioOne) {
  const at::Tensor ratio = trust_ratio(two(0, 3), two(2, 1));
  EXPECT_EQ(ratio[0].item<double>(), 1);
  EXPECT_NEAR(ratio[1].item<double>(), 3, 1e-6);
  EXPECT_EQ(trust_ratio(two(1, 1), two(0, 0))[0].item<double>(), 1);
}

/// Moves weights by their count, and keeps a matrix and a number of each.
struct Counting : GenericOptimizer {
  struct Params {
    double lr = 0.5, weight_decay = 0.25;
    static constexpr auto fields() {
      return std::tuple{rate_field(&Params::lr), decoupled_decay_field(&Params::weight_decay)};
    }
  } params;
  Kept count{"count", [](const at::Tensor&) { return at::zeros({}, at::kDouble); }};
  Kept plain{"plain"};

  void update(const Update& u) override {
    calls.emplace_back(u.t, u.weights.size());
    rates = {u.lr, u.weight_decay};
    for (const at::Tensor& number : u[count].list()) number.add_(1);
    u[plain] += u.grads;
    u.weights -= u.lr * u.grads;
  }
  std::vector<std::pair<std::int64_t, std::size_t>> calls;
  std::pair<double, double> rates;
};

NamedTensors three_weights() {
  NamedTensors weights;
  for (const char* name : {"a", "b", "c"})
    weights.emplace_back(name, at::ones({2}).set_requires_grad(true));
  return weights;
}

void step(Groups& groups, Optimizer& optimizer, const std::vector<std::size_t>& which) {
  groups.forget_gradients();
  for (const std::size_t i : which) groups.weights()[i].second.mutable_grad() = at::ones({2});
  groups.step(optimizer);
}

TEST(GenericOptimizer, WeightsOfEqualCountsAreUpdatedTogether) {
  Groups groups(three_weights());
  Counting::Whole<Counting> optimizer;
  optimizer.set_address("optimizer");
  groups.groups()[0].lr_scale = 2, groups.groups()[0].decay_scale = 4;
  step(groups, optimizer, {0, 1, 2});
  EXPECT_EQ(optimizer.calls, (decltype(optimizer.calls){{1, 3}}));
  EXPECT_EQ(optimizer.rates, std::pair(1.0, 1.0)) << "0.5 * 2 and 0.25 * 4";
  step(groups, optimizer, {1});
  optimizer.calls.clear();
  step(groups, optimizer, {0, 1, 2});
  EXPECT_EQ(optimizer.calls, (decltype(optimizer.calls){{2, 2}, {3, 1}}));
  const auto weight = [&](std::size_t i) { return groups.weights()[i].second[0].item<double>(); };
  EXPECT_EQ(weight(0), 1 - 2);
  EXPECT_EQ(weight(1), 1 - 3);
  EXPECT_EQ(weight(2), 1 - 2);
  const auto& counts = groups.groups()[0].slot(optimizer, "count", optimizer.count.make);
  EXPECT_EQ(counts.at(1).item<double>(), 3);
}

TEST(GenericOptimizer, RatesAreThoseOfTheParametersOrOfTheInnerPart) {
  struct Wrapper : Optimizer {
    struct Params {
      Part<Optimizer> inner{"counting"};
      static constexpr auto fields() { return std::tuple{field("inner", &Params::inner, "it")}; }
    } params;
    void step(Group& g) override { params.inner->step(g); }
  };
  Counting::Whole<Counting> counting;
  Wrapper::Whole<Wrapper> wrapper;
  wrapper.params.inner.fill(&counting);
  EXPECT_EQ(counting.rate(), 0.5);
  counting.params.lr = 0.125;
  EXPECT_EQ(wrapper.rate(), 0.125);
}

TEST(GenericOptimizer, KeepsWhatItMadeThroughACheckpoint) {
  Groups groups(three_weights()), resumed(three_weights());
  Counting::Whole<Counting> optimizer;
  optimizer.set_address("optimizer");
  step(groups, optimizer, {0, 1}), step(groups, optimizer, {1});
  NamedTensors list;
  groups.save(list);
  const TensorMap saved(list.begin(), list.end());
  EXPECT_TRUE(saved.contains("optimizer/0/made/optimizer/count/b"));
  EXPECT_FALSE(saved.contains("optimizer/0/made/optimizer/count/c"));
  resumed.load(saved);
  step(resumed, optimizer, {0, 1, 2});
  const auto& counts = resumed.groups()[0].slot(optimizer, "count", optimizer.count.make);
  EXPECT_EQ(counts.at(0).item<double>(), 2);
  EXPECT_EQ(counts.at(1).item<double>(), 3);
  EXPECT_EQ(counts.at(2).item<double>(), 1);
  EXPECT_EQ(counts.at(0).scalar_type(), at::kDouble);
  TensorMap other = saved;
  other["optimizer/0/made/optimizer/count/b"] = at::zeros({2});
  resumed.load(other);
  EXPECT_EQ(error_of([&] {
              step(resumed, optimizer, {0, 1});
            }),
            "checkpoint: what the optimizer kept of 'b' has another shape than it should; was it "
            "written by another version of it?");
}

TEST(GenericOptimizer, SomeOfAGroupAreListedAndThenAllAgain) {
  Groups groups(three_weights());
  struct Parting : Optimizer {
    void step(Group& g) override {
      g.among({0, 2}, [&] {
        seen.push_back(g.weights.size());
        g.among({1}, [&] {
          seen.push_back(g.weights.size());
          g.slot(*this, "last").front().add_(1);
        });
      });
      g.among({}, [&] { seen.push_back(100); });
      seen.push_back(g.weights.size());
    }
    std::vector<std::size_t> seen;
  } parting;
  parting.set_address("optimizer");
  step(groups, parting, {0, 1, 2});
  EXPECT_EQ(parting.seen, (std::vector<std::size_t>{2, 1, 3}));
  NamedTensors saved;
  groups.save(saved);
  EXPECT_EQ(saved.back().first, "optimizer/0/slot/optimizer/last/c");
  EXPECT_EQ(saved.back().second.sum().item<double>(), 2);
}

}  // namespace
}  // namespace paribus::test
