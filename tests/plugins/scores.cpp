// SPDX-License-Identifier: Apache-2.0
// Losses and metrics against scores_golden.json, which scores_reference.py makes of their formulas.
#include <cmath>

#include "paribus/loss.h"
#include "paribus/metric.h"
#include "parts.h"

namespace paribus::testing {
namespace {

nlohmann::json cases(const char* section) {
  std::ifstream file(PARIBUS_TEST_DIR "/scores_golden.json");
  return nlohmann::json::parse(file).at(section);
}

at::Tensor tensor(const nlohmann::json& one, const std::string& key) {
  const auto shape = one.at(key + "_shape").get<std::vector<std::int64_t>>();
  return at::tensor(one.at(key).get<std::vector<double>>(), at::kDouble).view(shape);
}

Batch batch_of(const at::Tensor& target) {
  Batch batch;
  batch.targets = {{target, &kCategory}};
  batch.items.resize(static_cast<std::size_t>(target.size(0)));
  return batch;
}

const at::Tensor kNoLoss = at::zeros({});

double loss_of(const PartSpec& spec, const at::Tensor& output, const at::Tensor& target) {
  return (*Made<Loss>(spec))(Outputs(output), batch_of(target)).item<double>();
}

double value_of(const PartSpec& spec, const at::Tensor& output, const at::Tensor& target) {
  const Made<Metric> metric(spec);
  metric->reset();
  metric->update(Outputs(output), batch_of(target), kNoLoss);
  return metric->value();
}

TEST(Losses, AreTheirFormulasWithPyTorchsGradients) {
  const auto all = cases("losses");
  ASSERT_GE(all.size(), 18U);
  for (const auto& one : all) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    const at::Tensor output = tensor(one, "output").to(at::kFloat).requires_grad_();
    at::Tensor target = tensor(one, "target");
    const bool whole =
        target.eq(target.round()).all().item<bool>() && target.sizes() != output.sizes();
    target = target.to(whole ? at::kLong : at::kFloat);
    const Made<Loss> loss(part_spec_from_json(one.at("part")));
    const at::Tensor value = (*loss)(Outputs(output), batch_of(target));
    EXPECT_EQ(value.scalar_type(), at::kFloat);
    value.backward();
    EXPECT_NEAR(value.item<double>(), one.at("loss").get<double>(), 2e-6);
    const at::Tensor grad = at::tensor(one.at("grad").get<std::vector<double>>(), at::kFloat);
    EXPECT_TRUE(at::allclose(output.grad().flatten(), grad, 1e-4, 1e-6));
  }
}

TEST(Losses, AreFloatFromHalf) {
  const at::Tensor output = at::full({3, 4}, 2.0, at::kBFloat16);
  for (const std::string name : {"bce", "focal", "dice"}) {
    const Made<Loss> loss(part("loss", name));
    const at::Tensor value = (*loss)(Outputs(output), batch_of(at::zeros({3}, at::kLong)));
    EXPECT_EQ(value.scalar_type(), at::kFloat) << name;
    EXPECT_TRUE(std::isfinite(value.item<float>())) << name;
  }
}

TEST(Losses, FocalIsFiniteForCertainScores) {
  const at::Tensor output = at::tensor({1000.0, -1000.0}, at::kFloat).view({1, 2}).requires_grad_();
  for (const std::int64_t target : {0, 1}) {
    for (const bool sigmoid : {false, true}) {
      const Made<Loss> loss(part("loss", "focal", {{"sigmoid", sigmoid}, {"gamma", 2.0}}));
      const at::Tensor value = (*loss)(Outputs(output), batch_of(at::tensor({target})));
      value.backward();
      EXPECT_TRUE(std::isfinite(value.item<float>()));
      EXPECT_TRUE(output.grad().isfinite().all().item<bool>()) << sigmoid << target;
    }
  }
}

TEST(Losses, SayWhatDoesntFit) {
  const at::Tensor scores = at::zeros({3, 10});
  for (const std::string name : {"bce", "focal", "dice"}) {
    EXPECT_EQ(error_of([&] {
                loss_of(part("loss", name), scores, at::zeros({3, 2}));
              }),
              "loss/" + name +
                  ": the model's output and the target don't fit, got [3, 10] and Float [3, 2], "
                  "expected [N, K, ...] and class numbers [N, ...] or float shares [N, K, ...]");
  }
  for (const std::string name : {"l1", "huber"}) {
    EXPECT_EQ(error_of([&] { loss_of(part("loss", name), scores, at::zeros({3}, at::kLong)); }),
              "loss/" + name +
                  ": the model's output and the target don't fit, got [3, 10] and Long [3], "
                  "expected float tensors of one shape; for class numbers take cross_entropy");
  }
  EXPECT_EQ(error_of([&] {
              loss_of(part("loss", "bce", {{"pos_weight", std::vector<double>{1, 2}}}), scores,
                      at::zeros({3}, at::kLong));
            }),
            "loss/bce: pos_weight has the wrong length, got 2, expected 1 or 10, one for each "
            "class");
  EXPECT_EQ(error_of([&] {
              loss_of(part("loss", "focal", {{"alpha", 0.25}}), scores, at::zeros({3}, at::kLong));
            }),
            "loss/focal: alpha weighs each class against all others, got it without sigmoid; set "
            "sigmoid = true");
}

TEST(Metrics, AreTheirFormulasInBatchesOfAnySize) {
  const auto all = cases("metrics");
  ASSERT_GE(all.size(), 60U);
  for (const auto& one : all) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    const at::Tensor output = tensor(one, "output");
    const at::Tensor target = tensor(one, "target").to(one.at("whole") ? at::kLong : at::kDouble);
    const Made<Metric> metric(part_spec_from_json(one.at("part")));
    metric->reset();
    EXPECT_TRUE(std::isnan(metric->value())) << "nothing is no value";
    for (const std::int64_t size : {std::int64_t{1}, std::int64_t{7}, output.size(0)}) {
      metric->reset();
      for (std::int64_t from = 0; from < output.size(0); from += size) {
        const std::int64_t to = std::min(from + size, output.size(0));
        metric->update(Outputs(output.slice(0, from, to)), batch_of(target.slice(0, from, to)),
                       kNoLoss);
      }
      EXPECT_NEAR(metric->value(), one.at("value").get<double>(), 1e-12)
          << "in batches of " << size;
    }
  }
}

TEST(Metrics, OfWhatIsNowhereGuessedAreZero) {
  const at::Tensor scores = at::tensor({1.0, 0.0, 1.0, 0.0}).view({2, 2});
  const at::Tensor ones = at::ones({2}, at::kLong);
  EXPECT_EQ(value_of(part("metric", "precision"), scores, ones), 0);
  EXPECT_EQ(value_of(part("metric", "f1"), scores, ones), 0);
  EXPECT_EQ(value_of(part("metric", "precision", {{"of_class", std::int64_t{1}}}), scores, ones),
            0);
}

TEST(Metrics, WhereAllIsIgnoredThereIsNoNumber) {
  const Made<Metric> metric(part("metric", "iou", {{"ignore", std::int64_t{255}}}));
  const at::Tensor scores = at::rand({2, 3}), voids = at::full({2}, 255, at::kLong);
  metric->reset();
  metric->update(Outputs(scores), batch_of(voids), kNoLoss);
  EXPECT_TRUE(std::isnan(metric->value()));
  metric->update(Outputs(scores), batch_of(scores.argmax(1)), kNoLoss);
  metric->update(Outputs(scores), batch_of(voids), kNoLoss);
  EXPECT_EQ(metric->value(), 1);
}

TEST(Metrics, AurocOfOneClassAloneIsNoNumber) {
  const at::Tensor scores = at::tensor({1.0, 0.0, 3.0, 0.0}).view({2, 2});
  EXPECT_TRUE(std::isnan(value_of(part("metric", "auroc"), scores, at::ones({2}, at::kLong))));
  const at::Tensor nan = scores * std::nan("");
  EXPECT_TRUE(std::isnan(
      value_of(part("metric", "auroc"), nan, at::tensor({std::int64_t{0}, std::int64_t{1}}))));
}

TEST(Metrics, R2OfAConstantTargetIsNoNumber) {
  EXPECT_TRUE(std::isnan(value_of(part("metric", "r2"), at::rand({5, 1}), at::ones({5, 1}))));
}

TEST(Metrics, SayWhatDoesntFit) {
  const at::Tensor scores = at::zeros({4, 3});
  const auto text = [&](const std::string& name, const at::Tensor& target) {
    return error_of([&] { value_of(part("metric", name), scores, target); });
  };
  for (const std::string name : {"precision", "recall", "f1", "dice", "iou"}) {
    EXPECT_EQ(
        text(name, at::zeros({2}, at::kLong)),
        "metric/" + name +
            ": the model's output and the target don't fit, got [4, 3] and Long [2], expected "
            "[N, K, ...] and class numbers [N, ...] or shares [N, K, ...]");
    EXPECT_EQ(text(name, at::tensor({0, 1, 3, 2}, at::kLong)),
              "metric/" + name + ": a target is no class, got 3, expected 0 to 2");
    EXPECT_EQ(text(name, at::tensor({0, 1, -2, 2}, at::kLong)),
              "metric/" + name + ": a target is no class, got -2, expected 0 to 2");
    EXPECT_EQ(error_of([&] {
                value_of(part("metric", name, {{"of_class", std::int64_t{3}}}), scores,
                         at::zeros({4}, at::kLong));
              }),
              "metric/" + name + ": there is no class 3, expected 0 to 2");
  }
  EXPECT_EQ(text("auroc", at::zeros({2}, at::kLong)),
            "metric/auroc: the model's output and the target don't fit, got [4, 3] and Long [2], "
            "expected [N, K] and class numbers [N] or labels [N, K]");
  EXPECT_EQ(text("calibration_error", at::zeros({2}, at::kLong)),
            "metric/calibration_error: the model's output and the target don't fit, got [4, 3] and "
            "Long [2], expected [N, K] and class numbers [N] or probabilities [N, K]");
  for (const std::string name : {"mae", "rmse", "r2"}) {
    EXPECT_EQ(
        text(name, at::zeros({4}, at::kLong)),
        "metric/" + name +
            ": the model's output and the target don't fit, got [4, 3] and Long [4], expected "
            "float tensors of one shape");
  }
}

TEST(Metrics, SayWhichWayIsBetter) {
  const auto catalog = registry::Catalog::scan({PARIBUS_PLUGIN_DIR});
  for (const std::string name : {"mae", "rmse", "calibration_error"})
    EXPECT_EQ(catalog.find("metric", name)->goal, "minimize") << name;
  for (const std::string name : {"precision", "recall", "f1", "dice", "iou", "auroc", "r2"})
    EXPECT_EQ(catalog.find("metric", name)->goal, "maximize") << name;
}

}  // namespace
}  // namespace paribus::testing
