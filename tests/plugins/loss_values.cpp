// SPDX-License-Identifier: Apache-2.0
#include "paribus/loss.h"
#include "parts.h"

namespace paribus::testing {
namespace {

Batch batch_of(const at::Tensor& target) {
  Batch batch;
  batch.targets = {{target, &kCategory}};
  batch.items.resize(static_cast<std::size_t>(target.size(0)));
  return batch;
}

TEST(LossCrossEntropy, IsPyTorchsWithItsGradient) {
  const auto cases = golden("losses");
  ASSERT_EQ(cases.size(), 6U);
  for (const auto& golden_case : cases) {
    SCOPED_TRACE(golden_case.at("name").get<std::string>());
    const auto floats = [&](const char* key) {
      return at::tensor(golden_case.at(key).get<std::vector<double>>(), at::kFloat);
    };
    const at::Tensor scores = floats("scores").view({6, 4}).requires_grad_();
    const at::Tensor target = golden_case.at("target").size() == 6 ? floats("target").to(at::kLong)
                                                                   : floats("target").view({6, 4});
    const Made<Loss> loss(
        part("loss", "cross_entropy", {{"smoothing", golden_case.at("smoothing").get<double>()}}));
    const at::Tensor value = (*loss)(Outputs(scores), batch_of(target));
    value.backward();
    EXPECT_NEAR(value.item<float>(), golden_case.at("loss").get<float>(), 1e-6);
    EXPECT_TRUE(at::allclose(scores.grad().flatten(), floats("grad"), 1e-5, 1e-7));
  }
}

TEST(LossCrossEntropy, SmoothingIsLive) {
  const Made<Loss> loss(part("loss", "cross_entropy"));
  const Outputs outputs(at::tensor({4.0, 0.0}, at::kFloat).view({1, 2}));
  const Batch batch = batch_of(at::tensor({std::int64_t{0}}));
  const float plain = (*loss)(outputs, batch).item<float>();
  loss.set("loss.smoothing", 0.5);
  EXPECT_NEAR((*loss)(outputs, batch).item<float>(), plain + 1,
              1e-6);  // a quarter of the weight moves 4 away
}

TEST(LossCrossEntropy, IsFloatFromHalf) {
  const Made<Loss> loss(part("loss", "cross_entropy"));
  const Outputs outputs(at::zeros({3, 10}, at::kBFloat16));
  const at::Tensor value = (*loss)(outputs, batch_of(at::zeros({3}, at::kLong)));
  EXPECT_EQ(value.scalar_type(), at::kFloat);
  EXPECT_NEAR(value.item<float>(), std::log(10.0), 1e-6);
}

TEST(LossCrossEntropy, SaysWhatDoesntFit) {
  const Made<Loss> loss(part("loss", "cross_entropy"));
  EXPECT_EQ(
      error_of([&] {
        (*loss)(Outputs(at::zeros({3, 10})), batch_of(at::zeros({3, 1})));
      }),
      "loss/cross_entropy: the model's output and the target don't fit, got [3, 10] and Float [3, "
      "1], expected "
      "[N, K] and "
      "int64 class numbers [N] or float probabilities [N, K]; for real-valued targets take mse");
}

TEST(LossCrossEntropy, OfAMaskIsThatOfItsPixels) {
  const at::Tensor scores = at::randn({2, 4, 3, 5});
  const at::Tensor mask = at::randint(0, 4, {2, 1, 3, 5}, at::kByte);
  for (const double smoothing : {0.0, 0.2}) {
    const Made<Loss> loss(part("loss", "cross_entropy", {{"smoothing", smoothing}}));
    const at::Tensor pixels = scores.movedim(1, -1).reshape({30, 4});
    const float expected =
        (*loss)(Outputs(pixels), batch_of(mask.flatten().to(at::kLong))).item<float>();
    EXPECT_NEAR((*loss)(Outputs(scores), batch_of(mask)).item<float>(), expected, 1e-6);
    EXPECT_NEAR((*loss)(Outputs(scores), batch_of(mask.squeeze(1))).item<float>(), expected, 1e-6);
  }
}

TEST(LossCrossEntropy, IgnoredPixelsAreNotThere) {
  const at::Tensor scores = at::randn({1, 3, 2, 4}).requires_grad_();
  at::Tensor mask = at::randint(0, 3, {1, 1, 2, 4}, at::kByte);
  mask.narrow(3, 2, 2).fill_(255);
  const Made<Loss> loss(part("loss", "cross_entropy", {{"ignore", std::int64_t{255}}}));
  const at::Tensor value = (*loss)(Outputs(scores), batch_of(mask));
  value.backward();
  const at::Tensor seen = scores.detach().narrow(3, 0, 2);
  EXPECT_NEAR(value.item<float>(),
              (*loss)(Outputs(seen), batch_of(mask.narrow(3, 0, 2))).item<float>(), 1e-6);
  EXPECT_EQ(scores.grad().narrow(3, 2, 2).abs().max().item<float>(), 0);
  EXPECT_GT(scores.grad().narrow(3, 0, 2).abs().min().item<float>(), 0);
  EXPECT_EQ((*loss)(Outputs(scores), batch_of(at::full_like(mask, 255))).item<float>(), 0);
  const Made<Loss> all(part("loss", "cross_entropy"));
  EXPECT_EQ(
      error_of([&] { (*all)(Outputs(scores), batch_of(mask)); }),
      "loss/cross_entropy: a target is no class, got 255, expected 0 to 2; if it is void, set "
      "ignore");
  const Made<Loss> rows(part("loss", "cross_entropy", {{"ignore", std::int64_t{2}}}));
  const at::Tensor two = at::randn({2, 3});
  const at::Tensor numbers = at::tensor({1, 2}, at::kLong);
  EXPECT_NEAR((*rows)(Outputs(two), batch_of(numbers)).item<float>(),
              (*all)(Outputs(two.narrow(0, 0, 1)), batch_of(numbers.narrow(0, 0, 1))).item<float>(),
              1e-6);
}

TEST(LossDice, IgnoredPixelsAreNotThere) {
  const at::Tensor scores = at::randn({2, 3, 2, 4});
  at::Tensor mask = at::randint(0, 3, {2, 1, 2, 4}, at::kByte);
  mask.narrow(3, 2, 2).fill_(3);
  const Made<Loss> loss(part("loss", "dice", {{"ignore", std::int64_t{3}}}));
  const float expected =
      (*loss)(Outputs(scores.narrow(3, 0, 2)), batch_of(mask.narrow(3, 0, 2))).item<float>();
  EXPECT_NEAR((*loss)(Outputs(scores), batch_of(mask)).item<float>(), expected, 1e-6);
  EXPECT_NEAR((*loss)(Outputs(scores), batch_of(mask.squeeze(1))).item<float>(), expected, 1e-6);
}

TEST(LossOfOneOutput, TakesNoOtherNumbersThanZeroAndOne) {
  const at::Tensor scores = at::randn({2, 1, 3, 4});
  at::Tensor mask = at::randint(0, 2, {2, 1, 3, 4}, at::kByte);
  const auto told = [&](const PartSpec& spec, const at::Tensor& target) {
    return error_of([&] { (*Made<Loss>(spec))(Outputs(scores), batch_of(target)); });
  };
  for (const std::string name : {"bce", "dice"}) {
    const std::string wrong = "loss/" + name + ": a target is no class of one output, got ";
    const std::string hint = name == "dice" ? "if it is void, set ignore"
                                            : "for more classes give the model an output for each";
    at::Tensor with_void = mask.clone();
    with_void[1][0][2][3] = 255;
    EXPECT_EQ(told(part("loss", name), with_void), wrong + "255, expected 0 or 1; " + hint);
    EXPECT_EQ(told(part("loss", name), mask.to(at::kLong).sub(1)),
              wrong + "-1, expected 0 or 1; " + hint);
    EXPECT_EQ((*Made<Loss>(part("loss", name)))(Outputs(scores), batch_of(mask)).item<float>(),
              (*Made<Loss>(part("loss", name)))(Outputs(scores), batch_of(mask.to(at::kFloat)))
                  .item<float>());
  }
  mask.narrow(3, 2, 2).fill_(255);
  const Made<Loss> dice(part("loss", "dice", {{"ignore", std::int64_t{255}}}));
  EXPECT_NEAR(
      (*dice)(Outputs(scores), batch_of(mask)).item<float>(),
      (*dice)(Outputs(scores.narrow(3, 0, 2)), batch_of(mask.narrow(3, 0, 2))).item<float>(), 1e-6);
}

TEST(LossMse, MeansOverAllElements) {
  const Made<Loss> loss(part("loss", "mse"));
  const Outputs outputs(at::tensor({1.0, 2.0, 3.0, 4.0}, at::kFloat).view({2, 2}));
  EXPECT_EQ((*loss)(outputs, batch_of(at::tensor({1.0, 0.0, 3.0, 2.0}, at::kFloat).view({2, 2})))
                .item<float>(),
            2);
  const Outputs column(at::tensor({1.0, 5.0}, at::kFloat).view({2, 1}));
  EXPECT_EQ((*loss)(column, batch_of(at::tensor({1.0, 2.0}, at::kFloat))).item<float>(), 4.5);
}

TEST(LossMse, SaysWhatDoesntFit) {
  const Made<Loss> loss(part("loss", "mse"));
  EXPECT_EQ(error_of([&] {
              (*loss)(Outputs(at::zeros({3, 10})), batch_of(at::zeros({3}, at::kLong)));
            }),
            "loss/mse: the model's output and the target don't fit, got [3, 10] and Long [3], "
            "expected float tensors of one "
            "shape; for class numbers take cross_entropy");
}

}  // namespace
}  // namespace paribus::testing
