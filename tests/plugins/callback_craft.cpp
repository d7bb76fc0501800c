// SPDX-License-Identifier: Apache-2.0
// cutmix, swa and centralize.
#include <ATen/core/grad_mode.h>

#include <set>

#include "paribus/callback.h"
#include "parts.h"

namespace paribus::testing {
namespace {

/// A batch in which item i is an image of the number i, 8 x 12, and of class i mod 10.
Fit fit_of(std::vector<std::int64_t> items) {
  Fit fit;
  fit.data.classes = 10;
  const at::Tensor numbers = at::tensor(items);
  fit.batch.inputs = {
      {numbers.to(at::kFloat).view({-1, 1, 1, 1}).expand({-1, 2, 8, 12}).clone(), &kImage}};
  fit.batch.targets = {{numbers.remainder(10), &kCategory}};
  fit.batch.items = std::move(items);
  return fit;
}
const std::vector<std::int64_t> kItems{3, 1, 4, 5, 9, 2, 6, 8, 7, 0};

TEST(CallbackCutmix, AlphaZeroAndValidationAreNothing) {
  const Made<Callback> off(part("callback", "cutmix", {{"alpha", 0.0}}));
  const Made<Callback> on(part("callback", "cutmix"));
  Fit training = fit_of(kItems), validating = fit_of(kItems);
  validating.training = false;
  const at::Tensor input = training.batch.input(), other = validating.batch.input();
  off->before_batch(training), on->before_batch(validating);
  EXPECT_TRUE(training.batch.input().is_same(input));
  EXPECT_TRUE(validating.batch.input().is_same(other));
}

TEST(CallbackCutmix, TargetsAreMixedByTheAreaOfTheRectangle) {
  for (const std::string per : {"item", "batch"}) {
    const Made<Callback> cutmix(part("callback", "cutmix", {{"per", per}}));
    Fit fit = fit_of(kItems);
    cutmix->before_batch(fit);
    const at::Tensor image = fit.batch.input(), target = fit.batch.target();
    ASSERT_EQ(target.sizes(), (std::vector<std::int64_t>{10, 10}));
    EXPECT_TRUE(at::allclose(target.sum(1), at::ones({10})));
    std::set<std::int64_t> areas;
    for (std::int64_t i = 0; i < 10; ++i) {
      const auto own = static_cast<float>(kItems[static_cast<std::size_t>(i)]);
      const at::Tensor foreign = image[i][0].ne(own);
      EXPECT_TRUE(bitwise_equal(image[i][0], image[i][1])) << "all channels together";
      const auto area = foreign.sum().item<std::int64_t>();
      if (area == 0) continue;  // the draw gave the item itself
      areas.insert(area);
      EXPECT_EQ(area, foreign.any(0).sum().item<std::int64_t>() *
                          foreign.any(1).sum().item<std::int64_t>());
      // Item i is of class i: the mean of the picture is the mean of the mixed classes.
      EXPECT_NEAR(image[i].mean().item<double>(),
                  target[i].mul(at::arange(10, at::kFloat)).sum().item<double>(), 1e-4);
    }
    EXPECT_EQ(areas.size() == 1, per == "batch");
  }
}

TEST(CallbackCutmix, MasksAreCutWithTheirImages) {
  const Made<Callback> cutmix(part("callback", "cutmix", {{"per", std::string("item")}}));
  Fit fit = fit_of(kItems);
  fit.batch.targets = {{fit.batch.input().narrow(1, 0, 1).to(at::kLong), &kMask}};
  cutmix->before_batch(fit);
  EXPECT_TRUE(bitwise_equal(fit.batch.input().narrow(1, 0, 1).to(at::kLong), fit.batch.target()));
  EXPECT_GT(fit.batch.target().sub(fit.batch.target()[0][0][0][0]).abs().max().item<int>(), 0);
}

TEST(CallbackCutmix, DrawsAreAddressedByItem) {
  const Made<Callback> cutmix(part("callback", "cutmix", {{"per", std::string("item")}}));
  Fit a = fit_of(kItems), b = fit_of(kItems), later = fit_of(kItems);
  later.batch.epoch = 1;
  cutmix->before_batch(later), cutmix->before_batch(a), cutmix->before_batch(b);
  EXPECT_TRUE(bitwise_equal(a.batch.input(), b.batch.input()));
  EXPECT_FALSE(bitwise_equal(a.batch.input(), later.batch.input()));
}

TEST(CallbackCutmix, SaysWhatItCannotMix) {
  const Made<Callback> cutmix(part("callback", "cutmix"));
  Fit rows = fit_of(kItems);
  rows.batch.inputs.front().type = &kTensor;
  EXPECT_EQ(error_of([&] { cutmix->before_batch(rows); }),
            "callback/cutmix: the input is of the type tensor, expected an image; for others take "
            "mixup");
  Fit classless = fit_of(kItems);
  classless.data.classes = 0;
  EXPECT_EQ(error_of([&] { cutmix->before_batch(classless); }),
            "callback/cutmix: a target is neither a class, a float nor a mask, it can't be mixed");
}

/// A model whose weights the test moves by hand.
struct Stage {
  explicit Stage(const std::string& use) : model(part("model", use)) {
    DataSpec data;
    data.inputs = {{&kImage, {1, 8, 8}}};
    data.classes = 3;
    model->build(data);
    fit.model = &*model;
  }
  void move(double distance) const {
    const at::NoGradGuard no_grad;
    for (const auto& [name, weight] : model->weights()) weight.detach().add_(distance);
    for (const auto& [name, buffer] : model->buffers_by_name()) {
      if (buffer.is_floating_point()) buffer.add_(distance);
    }
  }
  [[nodiscard]] at::Tensor weight() const { return model->weights()[0].second.detach(); }
  [[nodiscard]] at::Tensor buffer() const { return model->buffers_by_name()[0].second; }

  Made<Model> model;
  Fit fit;
};

/// What is validated at the end of an epoch.
at::Tensor validated(Callback& swa, Stage& stage, std::int64_t epoch) {
  stage.fit.epoch = epoch;
  swa.before_validate(stage.fit);
  const at::Tensor seen = stage.weight().clone();
  swa.after_validate(stage.fit);
  return seen;
}

TEST(CallbackSwa, ValidatesTheMeanOfTheEpochsEnds) {
  const Made<Callback> swa(part("callback", "swa", {{"start", 0.0}, {"every", std::int64_t{2}}}));
  Stage stage("mlp");
  const at::Tensor start = stage.weight().clone();
  swa->before_fit(stage.fit);
  EXPECT_TRUE(bitwise_equal(validated(*swa, stage, 0), start));  // of one
  stage.move(1);
  EXPECT_TRUE(bitwise_equal(validated(*swa, stage, 1), stage.weight())) << "not its turn";
  stage.move(1);
  EXPECT_TRUE(at::allclose(validated(*swa, stage, 2), start + 1));  // of 0 and 2
  EXPECT_TRUE(at::allclose(stage.weight(), start + 2)) << "the trained weights are back";
  stage.move(5);
  EXPECT_TRUE(at::allclose(validated(*swa, stage, 4), start + 3));  // of 0, 2 and 7
  EXPECT_TRUE(at::allclose(validated(*swa, stage, 4), start + 3)) << "an epoch counts once";
}

TEST(CallbackSwa, BuffersAreAveragedUnlessToldNot) {
  for (const bool average : {true, false}) {
    const Made<Callback> swa(
        part("callback", "swa", {{"start", 0.0}, {"average_buffers", average}}));
    Stage stage("convnet");
    const at::Tensor start = stage.buffer().clone();
    swa->before_fit(stage.fit);
    validated(*swa, stage, 0);
    stage.move(4);
    stage.fit.epoch = 1;
    swa->before_validate(stage.fit);
    EXPECT_TRUE(at::allclose(stage.buffer(), start + (average ? 2 : 4)));
    swa->after_validate(stage.fit);
    EXPECT_TRUE(at::allclose(stage.buffer(), start + 4));
  }
}

TEST(CallbackCentralize, TakesTheMeanOfEachOutputsGradient) {
  for (const std::int64_t dims : {2, 4}) {
    const Made<Callback> centralize(part("callback", "centralize", {{"dims", dims}}));
    Stage stage("convnet");
    std::vector<at::Tensor> before;
    for (const auto& [name, weight] : stage.model->weights()) {
      weight.mutable_grad() = at::rand(weight.sizes());
      before.push_back(weight.grad().clone());
    }
    centralize->before_step(stage.fit);
    std::size_t i = 0;
    for (const auto& [name, weight] : stage.model->weights()) {
      const at::Tensor& old = before[i++];
      const at::Tensor rows = old.flatten(1 < old.dim() ? 1 : 0);
      const at::Tensor expected =
          old.dim() < 2 ? old : (rows - rows.mean(1, true)).view(old.sizes());
      EXPECT_TRUE(at::allclose(weight.grad(), expected, 1e-5, 1e-6)) << name;
    }
  }
  const Made<Callback> convolutions(part("callback", "centralize", {{"dims", std::int64_t{4}}}));
  Stage linear("mlp");
  for (const auto& [name, weight] : linear.model->weights())
    weight.mutable_grad() = at::ones(weight.sizes());
  convolutions->before_step(linear.fit);
  for (const auto& [name, weight] : linear.model->weights())
    EXPECT_EQ(weight.grad().min().item<float>(), 1) << name;
}

}  // namespace
}  // namespace paribus::testing
