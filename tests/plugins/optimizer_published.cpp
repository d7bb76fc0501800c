// SPDX-License-Identifier: Apache-2.0
// The optimizers that optimizers_reference.py knows, held against its numbers, and what they
// promise besides.
#include <ATen/core/grad_mode.h>

#include "paribus/groups.h"
#include "paribus/random.h"
#include "paribus/types.h"
#include "parts.h"

namespace paribus::testing {
namespace {

/// optimizer_formulas.py's numbers().
at::Tensor numbers(const std::vector<std::int64_t>& shape, int seed) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* out = tensor.mutable_data_ptr<float>();
  for (std::int64_t n = 0; n < tensor.numel(); ++n) {
    const auto i = static_cast<double>(n);
    out[n] =
        static_cast<float>(std::sin(1.7 * i + 0.9 * std::sin(0.45 * i * i) + 0.3 * seed + 0.1));
  }
  return tensor;
}

/// Its weights, and the steps that it makes with them.
struct Steps {
  Steps() : groups(weights()) {
    groups.set_passes([this](const PartBase&, const Group::Loss& loss) {
      ++passes;
      if (loss) {
        pass(loss);
      } else {
        for (int i = 0; i < 3; ++i) give(i, /*bent=*/true);
      }
      return good;
    });
  }
  static NamedTensors weights() {
    return {{"filter", numbers({3, 2, 2, 2}, 0).requires_grad_()},
            {"matrix", numbers({4, 3}, 1).requires_grad_()},
            {"vector", numbers({5}, 2).requires_grad_()}};
  }
  void step(Optimizer& optimizer, bool bent = false) {
    ++count;
    for (int i = 0; i < 3; ++i) give(i, bent);
    groups.step(optimizer);
  }
  void give(int i, bool bent) const {
    const at::NoGradGuard no_grad;
    at::Tensor gradient = numbers(tensor(i).sizes().vec(), 10 * count + i);
    if (bent) gradient += tensor(i).pow(3);
    tensor(i).mutable_grad() = gradient;
  }
  /// Six items through scores = X matrix + vector[:3]; draws are addressed by the step.
  void pass(const Group::Loss& loss) const {
    const at::AutoGradMode with_gradients(true);
    Batch batch;
    batch.items.resize(6);
    Draws draws(static_cast<std::uint64_t>(count), 0, 0);
    const at::Tensor scores = at::mm(numbers({6, 4}, 3), tensor(1)) + tensor(2).narrow(0, 0, 3);
    loss(Outputs(scores), batch, draws).backward();
  }
  [[nodiscard]] at::Tensor tensor(int i) const {
    return groups.weights()[static_cast<std::size_t>(i)].second;
  }
  [[nodiscard]] at::Tensor flat() const {
    std::vector<at::Tensor> all;
    for (int i = 0; i < 3; ++i) all.push_back(tensor(i).detach().flatten());
    return at::cat(all);
  }

  Groups groups;
  int count = 0;
  int passes = 0;
  bool good = true;  // what the next pass says of its gradients
};

/// The cases of a file, by the name before "_" of their optimizer.
const nlohmann::json& cases() {
  static const nlohmann::json kCases = [] {
    std::ifstream file(PARIBUS_TEST_DIR "/optimizers_golden.json");
    return nlohmann::json::parse(file).at("optimizers");
  }();
  return kCases;
}

PartSpec spec_of(const nlohmann::json& golden_case) {
  return part_spec_from_json(golden_case.at("part"));
}

bool is_bent(const nlohmann::json& golden_case) { return spec_of(golden_case).use == "sam"; }

TEST(OptimizerPublished, EveryOptimizerStepsAsItsFormula) {
  std::set<std::string> seen;
  for (const auto& golden_case : cases()) {
    SCOPED_TRACE(golden_case.at("name").get<std::string>());
    seen.insert(spec_of(golden_case).use);
    const Made<Optimizer> optimizer(spec_of(golden_case));
    const auto tolerance = golden_case.at("tolerance").get<double>();
    Steps steps;
    for (const auto& row : golden_case.at("weights")) {
      if (golden_case.contains("rates")) {
        const auto place = static_cast<std::size_t>(steps.count);
        optimizer.set("optimizer.inner.lr", golden_case.at("rates").at(place).get<double>());
      }
      steps.step(*optimizer, is_bent(golden_case));
      const auto expected = at::tensor(row.get<std::vector<double>>(), at::kFloat);
      EXPECT_TRUE(at::allclose(steps.flat(), expected, tolerance, tolerance))
          << "step " << steps.count << ": " << (steps.flat() - expected).abs().max().item<float>();
    }
  }
  const std::set<std::string> all{"adagrad",       "adafactor", "lamb",   "lars",    "lion",
                                  "muon",          "radam",     "ranger", "rmsprop", "sam",
                                  "schedule_free", "soap",      "sophia"};
  EXPECT_EQ(seen, all);
}

TEST(OptimizerPublished, ResumedTheyGoOnBitwise) {
  for (const auto& golden_case : cases()) {
    SCOPED_TRACE(golden_case.at("name").get<std::string>());
    const bool bent = is_bent(golden_case);
    const Made<Optimizer> whole(spec_of(golden_case)), resumed(spec_of(golden_case));
    Steps a, b;
    for (int i = 0; i < 4; ++i) a.step(*whole, bent);
    NamedTensors saved;
    a.groups.save(saved);
    TensorMap map;
    for (const auto& [name, tensor] : saved) map.emplace(name, tensor.detach().clone());
    {
      const at::NoGradGuard no_grad;
      for (int i = 0; i < 3; ++i) b.tensor(i).copy_(a.tensor(i));
    }
    b.groups.load(map);
    NamedTensors again;
    b.groups.save(again);
    ASSERT_EQ(again.size(), saved.size()) << "what was read is kept, used or not";
    b.count = a.count;
    for (int i = 0; i < 4; ++i) a.step(*whole, bent), b.step(*resumed, bent);
    EXPECT_TRUE(bitwise_equal(a.flat(), b.flat()));
  }
}

TEST(OptimizerPublished, AWeightWithoutGradientIsAsIfItsStepsHadNotBeen) {
  const std::set<std::string> joint{"sam", "sophia", "muon",
                                    "ranger"};  // weights act together there
  for (const auto& golden_case : cases()) {
    if (joint.contains(spec_of(golden_case).use)) continue;
    SCOPED_TRACE(golden_case.at("name").get<std::string>());
    const Made<Optimizer> late(spec_of(golden_case)), alone(spec_of(golden_case));
    Steps a, b;
    a.give(0, false);
    a.groups.step(*late);
    a.groups.forget_gradients();
    EXPECT_TRUE(bitwise_equal(a.tensor(1).detach(), numbers({4, 3}, 1)));
    for (int i = 0; i < 3; ++i) a.step(*late), b.step(*alone);
    EXPECT_TRUE(at::allclose(a.tensor(1), b.tensor(1), 1e-6, 1e-6));
    EXPECT_TRUE(at::allclose(a.tensor(2), b.tensor(2), 1e-6, 1e-6));
  }
}

TEST(OptimizerPublished, GroupsScaleRateAndDecay) {
  for (const std::string use :
       {"radam", "lion", "lamb", "rmsprop", "adagrad", "soap", "sophia", "adafactor"}) {
    const Made<Optimizer> scaled(part("optimizer", use, {{"lr", 0.1}, {"weight_decay", 0.2}}));
    const Made<Optimizer> plain(part("optimizer", use, {{"lr", 0.05}, {"weight_decay", 0.0}}));
    Steps a, b;
    a.groups.groups().front().lr_scale = 0.5;
    a.groups.groups().front().decay_scale = 0;
    for (int i = 0; i < 3; ++i) a.step(*scaled), b.step(*plain);
    EXPECT_TRUE(bitwise_equal(a.flat(), b.flat())) << use;
  }
}

PartSpec wrapped(const std::string& use, std::map<std::string, Value> params,
                 const PartSpec& inner) {
  return part("optimizer", use, std::move(params), {{"inner", inner}});
}

const PartSpec& momentum() {
  static const PartSpec kMomentum = part("optimizer", "sgd", {{"momentum", 0.9}});
  return kMomentum;
}

TEST(OptimizerSam, RadiusZeroMakesNoPassAndIsTheInnerOptimizerBitwise) {
  const Made<Optimizer> sam(wrapped("sam", {{"rho", 0.0}}, momentum())), inner(momentum());
  Steps a, b;
  for (int i = 0; i < 4; ++i) a.step(*sam), b.step(*inner);
  EXPECT_TRUE(bitwise_equal(a.flat(), b.flat()));
  EXPECT_EQ(a.passes, 0);
}

TEST(OptimizerSam, GradientsThatOverflowLeaveTheWeightsAsTheyWere) {
  const Made<Optimizer> sam(wrapped("sam", {}, momentum()));
  Steps steps;
  steps.good = false;
  const at::Tensor before = steps.flat();
  steps.step(*sam);
  EXPECT_EQ(steps.passes, 1);
  EXPECT_TRUE(bitwise_equal(steps.flat(), before));
}

TEST(OptimizerSam, OthersSeeTheGradientsOfTheFirstPass) {
  const Made<Optimizer> sam(wrapped("sam", {}, momentum()));
  Steps steps;
  steps.step(*sam, /*bent=*/true);
  const at::Tensor first = numbers({5}, 12) + numbers({5}, 2).pow(3);
  EXPECT_TRUE(bitwise_equal(steps.tensor(2).grad(), first));
}

TEST(OptimizerSam, IsFoundThroughWrappers) {
  const PartSpec sam = wrapped("sam", {}, momentum());
  const Made<Optimizer> outer(wrapped("lookahead", {{"alpha", 1.0}}, sam)), alone(sam);
  Steps a, b;
  for (int i = 0; i < 3; ++i) a.step(*outer, true), b.step(*alone, true);
  EXPECT_EQ(a.passes, 3);
  EXPECT_TRUE(bitwise_equal(a.flat(), b.flat()));
}

TEST(OptimizerSam, WhereThereIsNoPassItSaysSo) {
  const Made<Optimizer> sam(wrapped("sam", {}, momentum()));
  Groups groups(Steps::weights());
  groups.weights()[0].second.mutable_grad() = numbers({3, 2, 2, 2}, 5);
  EXPECT_EQ(error_of([&] { groups.step(*sam); }),
            "optimizer: this optimizer needs another pass over the batch, and there is none to be "
            "had here; does it say so in needs_passes()?");
}

TEST(OptimizerSophia, LooksEverySoManySteps) {
  const Made<Optimizer> sophia(part("optimizer", "sophia", {{"every", std::int64_t{3}}}));
  Steps steps;
  for (int i = 0; i < 7; ++i) steps.step(*sophia);
  EXPECT_EQ(steps.passes, 3);
}

TEST(OptimizerSophia, WantsScoresOfClasses) {
  const Made<Optimizer> sophia(part("optimizer", "sophia"));
  Groups groups(Steps::weights());
  groups.set_passes([](const PartBase&, const Group::Loss& loss) {
    Draws draws(0, 0, 0);
    return loss(Outputs(at::zeros({2, 3, 4})), {}, draws).defined();
  });
  groups.weights()[0].second.mutable_grad() = numbers({3, 2, 2, 2}, 5);
  EXPECT_EQ(error_of([&] { groups.step(*sophia); }),
            "optimizer/sophia: the model's output has the shape [2, 3, 4], expected scores of "
            "classes [N, K]; take another optimizer for this model");
}

TEST(OptimizerRanger, AlphaOneWithoutCentralizingIsTheInnerOptimizerBitwise) {
  const PartSpec radam = part("optimizer", "radam");
  const Made<Optimizer> ranger(wrapped("ranger", {{"alpha", 1.0}, {"centralize", false}}, radam)),
      inner(radam);
  Steps a, b;
  for (int i = 0; i < 8; ++i) {
    a.step(*ranger), b.step(*inner);
    a.groups.evaluation(*ranger, true);
    EXPECT_TRUE(bitwise_equal(a.flat(), b.flat()));
    a.groups.evaluation(*ranger, false);
  }
}

TEST(OptimizerRanger, ValidatesOnSlowWeightsAndPutsTheFastBack) {
  const Made<Optimizer> ranger(wrapped("ranger", {{"k", std::int64_t{3}}}, momentum()));
  Steps steps;
  const at::Tensor start = steps.flat();
  steps.step(*ranger);
  const at::Tensor fast = steps.flat();
  steps.groups.evaluation(*ranger, true);
  EXPECT_TRUE(bitwise_equal(steps.flat(), start)) << "slow, as they began";
  steps.groups.evaluation(*ranger, false);
  EXPECT_TRUE(bitwise_equal(steps.flat(), fast));
}

TEST(OptimizerMuon, TheRestHasAnEvaluationOfItsOwn) {
  const PartSpec slow = wrapped("lookahead", {{"alpha", 0.5}}, momentum());
  const Made<Optimizer> muon(part("optimizer", "muon", {}, {{"rest", slow}}));
  Steps steps;
  steps.step(*muon);
  const at::Tensor filter = steps.tensor(0).detach().clone(), before = steps.flat();
  steps.groups.evaluation(*muon, true);
  EXPECT_TRUE(bitwise_equal(steps.tensor(0).detach(), filter)) << "muon has one set of weights";
  EXPECT_TRUE(bitwise_equal(steps.tensor(2).detach(), numbers({5}, 2))) << "slow, as they began";
  steps.groups.evaluation(*muon, false);
  EXPECT_TRUE(bitwise_equal(steps.flat(), before));
}

TEST(OptimizerScheduleFree, ValidatesOnTheAverageAndPutsTheTrainingWeightsBack) {
  const Made<Optimizer> free(wrapped("schedule_free", {{"beta", 0.0}}, part("optimizer", "sgd")));
  const Made<Optimizer> plain(part("optimizer", "sgd"));
  Steps a, b;
  at::Tensor sum = at::zeros_like(a.flat());
  for (int i = 1; i <= 5; ++i) {
    a.step(*free), b.step(*plain);
    sum += b.flat();
    EXPECT_TRUE(at::allclose(a.flat(), b.flat())) << "at beta 0 z is trained";
    const at::Tensor trained = a.flat();
    a.groups.evaluation(*free, true);
    EXPECT_TRUE(at::allclose(a.flat(), sum / i, 1e-5, 1e-6))
        << "a constant rate: the mean, " << (a.flat() - sum / i).abs().max().item<double>();
    a.groups.evaluation(*free, false);
    EXPECT_TRUE(bitwise_equal(a.flat(), trained));
  }
}

TEST(OptimizerMatrices, ChannelsLastChangesNoStepBeyondRounding) {
  const PartSpec muon = part("optimizer", "muon", {}, {{"rest", part("optimizer", "adamw")}});
  for (const PartSpec& spec : {muon, part("optimizer", "soap"), part("optimizer", "adafactor"),
                               part("optimizer", "lamb")}) {
    const Made<Optimizer> optimizer(spec), same(spec);
    Steps a, b;
    {
      const at::NoGradGuard no_grad;
      b.tensor(0).set_data(b.tensor(0).detach().contiguous(at::MemoryFormat::ChannelsLast));
    }
    for (int i = 0; i < 3; ++i) a.step(*optimizer), b.step(*same);
    EXPECT_TRUE(b.tensor(0).is_contiguous(at::MemoryFormat::ChannelsLast)) << spec.use;
    EXPECT_TRUE(at::allclose(a.flat(), b.flat(), 1e-4, 1e-5)) << spec.use;
  }
}

}  // namespace
}  // namespace paribus::testing
