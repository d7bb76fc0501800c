// SPDX-License-Identifier: Apache-2.0
#include "paribus/precision.h"

#include <ATen/Functions.h>
#include <torch/nn/utils/clip_grad.h>

#include "paribus/callback.h"
#include "parts.h"

namespace paribus::test {
namespace {

/// Tells the number formats that a training step meets.
struct Formats : Callback {
  struct Params {
    static constexpr auto fields() { return no_fields(); }
  } params;
  static constexpr auto touches() { return Touches<0, 0>{}; }
  void after_forward(Fit& fit) override {
    fit.record("outputs are bf16", fit.outputs.main().scalar_type() == at::kBFloat16 ? 1 : 0);
  }
  void before_step(Fit& fit) override {
    bool floats = fit.loss.scalar_type() == at::kFloat;
    for (const at::Tensor& gradient : fit.groups->gradients())
      floats = floats && gradient.scalar_type() == at::kFloat;
    for (const auto& [name, weight] : fit.model->weights())
      floats = floats && weight.scalar_type() == at::kFloat;
    fit.record("loss, gradients and weights are fp32", floats ? 1 : 0);
  }
};

class PrecisionTest : public ::testing::Test {
 protected:
  PrecisionTest() {
    factory_.add<Formats>("formats");
    spec_ = small_trial();
  }
  /// Final weights, by name.
  TensorMap weights_of(const TrialSpec& spec, Notes& notes) const {
    const Folder folder;
    Trainer(spec, dots_, factory_, notes, folder.path()).fit();
    return read_safetensors(folder / "final.safetensors");
  }
  TensorMap weights_of(const TrialSpec& spec) const {
    Notes notes;
    return weights_of(spec, notes);
  }

  Factory factory_;
  Dots dots_{128, 20};
  TrialSpec spec_;
};

TEST_F(PrecisionTest, Bf16ComputesInBf16AndKeepsFp32) {
  spec_.callbacks = {part("callback", "formats", {}, "callback.formats")};
  const TensorMap exact = weights_of(spec_);
  spec_.train.precision = "bf16";
  Notes notes;
  const TensorMap weights = weights_of(spec_, notes);
  for (const char* series : {"outputs are bf16", "loss, gradients and weights are fp32"}) {
    ASSERT_EQ(notes.points.at(series).size(), 48U);
    for (const auto& [step, value] : notes.points.at(series)) EXPECT_EQ(value, 1) << series;
  }
  for (const auto& [name, weight] : weights) {
    EXPECT_EQ(weight.scalar_type(), at::kFloat);
    EXPECT_FALSE(same_bits(weight, weight.to(at::kBFloat16).to(at::kFloat))) << "rounded to bf16";
    EXPECT_FALSE(same_bits(weight, exact.at(name)));
    EXPECT_TRUE(at::allclose(weight, exact.at(name), 0.1, 0.1)) << name;
  }
}

TEST_F(PrecisionTest, FactsSayWhatAutoCameTo) {
  spec_.train.precision = "auto";
  Notes notes;
  const Facts facts = Trainer(spec_, dots_, factory_, notes, {}).inspect();
  EXPECT_EQ(facts.device, "cpu");
  EXPECT_EQ(facts.precision, "fp32") << "without convolutions bf16 gains nothing on a CPU";
  EXPECT_EQ(facts.memory_format, "contiguous");
  EXPECT_EQ(facts.parameters, 8 * 16 + 16 + 16 * 3 + 3);
  EXPECT_EQ(facts.train_items, 128);
  EXPECT_EQ(facts.valid_items, 20);
  EXPECT_EQ(facts.steps_per_epoch, 16);
}

TEST_F(PrecisionTest, Fp16OnACpuIsRefused) {
  spec_.train.precision = "fp16";
  Notes notes;
  EXPECT_EQ(error_of([&] { Trainer(spec_, dots_, factory_, notes, {}); }),
            "train.precision: fp16 needs a CUDA device; say precision = \"bf16\" or \"auto\"");
}

TEST_F(PrecisionTest, FourBatchesOf16AreOneOf64) {
  spec_.data.batch = 64;
  const TensorMap whole = weights_of(spec_);
  spec_.data.batch = 16;
  const TensorMap apart = weights_of(spec_);
  spec_.train.accumulate = 4;
  const TensorMap gathered = weights_of(spec_);
  for (const auto& [name, weight] : whole) {
    EXPECT_TRUE(at::allclose(gathered.at(name), weight, 1e-5, 1e-6)) << name;
    EXPECT_FALSE(at::allclose(apart.at(name), weight, 1e-3, 1e-4)) << name;
  }
}

TEST_F(PrecisionTest, BatchesLeftOverAtTheEndOfAnEpochAreUsed) {
  spec_.data.batch = 32;  // 4 batches, an update of 3 and one of 1
  spec_.train.accumulate = 3;
  spec_.train.epochs = 1;
  spec_.callbacks = {part("callback", "formats", {}, "callback.formats")};
  Notes notes;
  weights_of(spec_, notes);
  std::vector<std::int64_t> steps;
  for (const auto& [step, value] : notes.points.at("loss, gradients and weights are fp32"))
    steps.push_back(step);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{3, 4}));
}

TEST_F(PrecisionTest, AClipThatNeverActsChangesNothing) {
  const TensorMap plain = weights_of(spec_);
  spec_.train.clip_norm = 1e6, spec_.train.clip_value = 1e6;
  for (const auto& [name, weight] : weights_of(spec_))
    EXPECT_TRUE(same_bits(weight, plain.at(name)));
  spec_.train.clip_norm = 0.01;
  for (const auto& [name, weight] : weights_of(spec_))
    EXPECT_FALSE(same_bits(weight, plain.at(name)));
}

std::vector<at::Tensor> gradients() {
  return {at::arange(6, at::kFloat).view({2, 3}), at::full({4}, -2.5), at::full({1}, 7.0)};
}

TEST(Clip, NormIsThatOfTorch) {
  for (const double norm : {0.5, 3.0, 1e6}) {
    std::vector<at::Tensor> weights;
    for (const at::Tensor& gradient : gradients()) {
      weights.push_back(at::zeros_like(gradient).set_requires_grad(true));
      weights.back().mutable_grad() = gradient;
    }
    torch::nn::utils::clip_grad_norm_(weights, norm);
    const auto ours = gradients();
    clip(ours, norm, 0);
    for (std::size_t i = 0; i < ours.size(); ++i)
      EXPECT_TRUE(at::allclose(ours[i], weights[i].grad(), 1e-6, 0)) << norm;
  }
}

TEST(Clip, NormIsOfAllTogether) {
  const auto clipped = gradients();
  clip(clipped, 1, 0);
  double squares = 0;
  for (const at::Tensor& gradient : clipped) squares += gradient.pow(2).sum().item<double>();
  EXPECT_NEAR(squares, 1, 1e-5);
}

TEST(Clip, ValueIsOfEach) {
  const auto clipped = gradients();
  clip(clipped, 0, 3);
  EXPECT_EQ(clipped[0].max().item<float>(), 3);
  EXPECT_EQ(clipped[0][0][2].item<float>(), 2);
  EXPECT_EQ(clipped[1].min().item<float>(), -2.5);
  EXPECT_EQ(clipped[2].item<float>(), 3);
  clip({}, 1, 1);  // nothing to do
}

}  // namespace
}  // namespace paribus::test
