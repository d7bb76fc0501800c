// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>

#include "paribus/groups.h"
#include "parts.h"

namespace paribus::testing {
namespace {

/// golden.py's numbers().
at::Tensor numbers(const std::vector<std::int64_t>& shape, int seed) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* out = tensor.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    out[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i) + 0.3 * seed + 0.1));
  }
  return tensor;
}

/// Two weights and the steps that golden.py makes with them.
struct Steps {
  Steps() : groups(weights()) {}
  static NamedTensors weights() {
    return {{"matrix", numbers({4, 3}, 0).requires_grad_()},
            {"vector", numbers({5}, 1).requires_grad_()}};
  }
  void step(Optimizer& optimizer) {
    ++count;
    for (int i = 0; i < 2; ++i)
      tensor(i).mutable_grad() = numbers(tensor(i).sizes().vec(), 10 * count + i);
    groups.step(optimizer);
  }
  [[nodiscard]] at::Tensor tensor(int i) const {
    return groups.weights()[static_cast<std::size_t>(i)].second;
  }
  [[nodiscard]] at::Tensor flat() const {
    return at::cat({tensor(0).detach().flatten(), tensor(1).detach().flatten()});
  }

  Groups groups;
  int count = 0;
};

PartSpec lookahead(double alpha, const std::string& evaluate = "slow") {
  return part("optimizer", "lookahead",
              {{"alpha", alpha}, {"k", std::int64_t{2}}, {"evaluate", evaluate}},
              {{"inner", part("optimizer", "sgd", {{"momentum", 0.9}})}});
}

TEST(OptimizerGolden, EveryOptimizerStepsAsItsReference) {
  const auto cases = golden("optimizers");
  ASSERT_GE(cases.size(), 14U);
  for (const auto& golden_case : cases) {
    SCOPED_TRACE(golden_case.at("name").get<std::string>());
    const Made<Optimizer> optimizer(part_spec_from_json(golden_case.at("part")));
    Steps steps;
    for (const auto& row : golden_case.at("weights")) {
      steps.step(*optimizer);
      const auto expected = at::tensor(row.get<std::vector<double>>(), at::kFloat);
      EXPECT_TRUE(at::allclose(steps.flat(), expected, /*rtol=*/2e-6, /*atol=*/1e-7))
          << "step " << steps.count << ": " << (steps.flat() - expected).abs().max().item<float>();
    }
  }
}

TEST(OptimizerScales, GroupsScaleRateAndDecay) {
  for (const std::string use : {"sgd", "adam", "adamw"}) {
    const Made<Optimizer> scaled(part("optimizer", use, {{"lr", 0.1}, {"weight_decay", 0.2}}));
    const Made<Optimizer> plain(part("optimizer", use, {{"lr", 0.05}, {"weight_decay", 0.0}}));
    Steps a, b;
    a.groups.groups().front().lr_scale = 0.5;
    a.groups.groups().front().decay_scale = 0;
    for (int i = 0; i < 3; ++i) a.step(*scaled), b.step(*plain);
    EXPECT_TRUE(bitwise_equal(a.flat(), b.flat())) << use;
  }
}

TEST(OptimizerSgd, MomentumMaySwitchOnLater) {
  const Made<Optimizer> sgd(part("optimizer", "sgd"));
  Steps steps, plain;
  steps.step(*sgd);
  sgd.set("optimizer.momentum", 0.9);
  const at::Tensor before = steps.flat();
  steps.step(*sgd);  // the velocity starts here: the step is still plain
  const at::Tensor gradient = at::cat({numbers({4, 3}, 20).flatten(), numbers({5}, 21)});
  EXPECT_TRUE(at::allclose(steps.flat(), before - 0.1 * gradient));
  EXPECT_TRUE(steps.groups.groups().front().has_slot(*sgd, "momentum"));
}

TEST(OptimizerSgd, WeightsWithoutGradientStay) {
  const Made<Optimizer> sgd(part("optimizer", "sgd", {{"momentum", 0.9}, {"weight_decay", 0.1}}));
  Steps steps;
  steps.tensor(0).mutable_grad() = numbers({4, 3}, 10);
  steps.groups.step(*sgd);
  EXPECT_TRUE(bitwise_equal(steps.tensor(1).detach(), numbers({5}, 1)));
  steps.step(*sgd);
  EXPECT_FALSE(bitwise_equal(steps.tensor(1).detach(), numbers({5}, 1)));
}

TEST(OptimizerAdam, KeepsWhatItNeeds) {
  for (const bool amsgrad : {false, true}) {
    const Made<Optimizer> adam(part("optimizer", "adam", {{"amsgrad", amsgrad}}));
    Steps steps;
    steps.step(*adam);
    const Group& group = steps.groups.groups().front();
    EXPECT_TRUE(group.has_slot(*adam, "mean"));
    EXPECT_TRUE(group.has_slot(*adam, "square"));
    EXPECT_EQ(group.has_slot(*adam, "largest"), amsgrad);
  }
}

TEST(OptimizerState, AResumedOptimizerGoesOnBitwise) {
  const std::vector<PartSpec> specs{
      part("optimizer", "sgd", {{"momentum", 0.9}, {"dampening", 0.3}}),
      part("optimizer", "adamw", {{"amsgrad", true}}), lookahead(0.5)};
  for (const PartSpec& spec : specs) {
    const Made<Optimizer> whole(spec), resumed(spec);
    Steps a, b;
    for (int i = 0; i < 3; ++i) a.step(*whole);
    NamedTensors saved;
    a.groups.save(saved);
    TensorMap map;
    for (const auto& [name, tensor] : saved) map.emplace(name, tensor.clone());
    const at::NoGradGuard no_grad;
    for (int i = 0; i < 2; ++i) b.tensor(i).copy_(a.tensor(i));
    b.groups.load(map);
    b.count = a.count;
    for (int i = 0; i < 3; ++i) a.step(*whole), b.step(*resumed);
    EXPECT_TRUE(bitwise_equal(a.flat(), b.flat())) << spec.use;
  }
}

TEST(OptimizerLookahead, AlphaOneIsTheInnerOptimizerBitwise) {
  const Made<Optimizer> wrapped(lookahead(1.0)),
      inner(part("optimizer", "sgd", {{"momentum", 0.9}}));
  Steps a, b;
  for (int i = 0; i < 5; ++i) {
    a.step(*wrapped), b.step(*inner);
    EXPECT_TRUE(bitwise_equal(a.flat(), b.flat())) << "step " << i;
    a.groups.evaluation(*wrapped, true);
    EXPECT_TRUE(bitwise_equal(a.flat(), b.flat())) << "validating after step " << i;
    a.groups.evaluation(*wrapped, false);
  }
}

TEST(OptimizerLookahead, ValidatesOnSlowWeightsAndPutsTheFastBack) {
  const Made<Optimizer> optimizer(lookahead(0.5));
  Steps steps;
  const at::Tensor start = steps.flat();
  steps.step(*optimizer);
  const at::Tensor fast = steps.flat();
  steps.groups.evaluation(*optimizer, true);
  EXPECT_TRUE(bitwise_equal(steps.flat(), start))
      << "before the first synchronisation the slow weights are the first ones";
  steps.groups.evaluation(*optimizer, false);
  EXPECT_TRUE(bitwise_equal(steps.flat(), fast));
  steps.step(*optimizer);  // k = 2: slow and fast are the same now
  const at::Tensor synchronised = steps.flat();
  steps.groups.evaluation(*optimizer, true);
  EXPECT_TRUE(bitwise_equal(steps.flat(), synchronised));
  steps.groups.evaluation(*optimizer, false);
}

TEST(OptimizerLookahead, ValidationChangesNoStep) {
  const Made<Optimizer> watched(lookahead(0.5)), alone(lookahead(0.5));
  Steps a, b;
  for (int i = 0; i < 5; ++i) {
    a.step(*watched), b.step(*alone);
    a.groups.evaluation(*watched, true);
    a.groups.evaluation(*watched, false);
  }
  EXPECT_TRUE(bitwise_equal(a.flat(), b.flat()));
}

TEST(OptimizerLookahead, FastEvaluationKeepsTheWeights) {
  const Made<Optimizer> optimizer(lookahead(0.5, "fast"));
  Steps steps;
  steps.step(*optimizer);
  const at::Tensor fast = steps.flat();
  steps.groups.evaluation(*optimizer, true);
  EXPECT_TRUE(bitwise_equal(steps.flat(), fast));
}

TEST(OptimizerErrors, NameThePartAndTheParameter) {
  const auto make = [](const std::string& name) {
    return [name] { Made<Optimizer>(part("optimizer", "sgd", {{name, 0.1}})); };
  };
  EXPECT_EQ(error_of(make("momentun")), "optimizer: optimizer/sgd has no parameter 'momentun'");
  EXPECT_EQ(error_of([] { Made<Optimizer>(part("optimizer", "sdg")); }),
            "optimizer/sdg: not loaded");
}

}  // namespace
}  // namespace paribus::testing
