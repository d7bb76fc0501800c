// SPDX-License-Identifier: Apache-2.0
#include "paribus/callback.h"
#include "parts.h"

namespace paribus::testing {
namespace {

DataSpec images(std::int64_t side, const std::string& use) {
  DataSpec data;
  data.inputs = {{&kImage, {3, side, side}}};
  data.targets = {{&kCategory, {}}};
  if (use == "unet") data.targets = {{&kMask, {side, side}}};
  data.classes = 10;
  return data;
}

Batch batch_of(const at::Tensor& input) {
  Batch batch;
  batch.inputs = {{input, &kImage}};
  return batch;
}

/// A model in a trial that is being validated.
struct Validated {
  explicit Validated(std::map<std::string, Value> params, const std::string& use = "convnet",
                     std::int64_t side = 16)
      : model(part("model", use)), tta(part("callback", "tta", std::move(params))) {
    model->build(images(side, use));
    model->set_training(false);
    fit.model = &*model;
    fit.data = images(side, use);
    tta->before_fit(fit);
    tta->before_validate(fit);
  }
  [[nodiscard]] at::Tensor alone(const at::Tensor& x) const {
    return model->outputs(batch_of(x)).main();
  }
  [[nodiscard]] at::Tensor seen(const at::Tensor& x) const {
    return fit.model->outputs(batch_of(x)).main();
  }
  /// With the mirror image.
  [[nodiscard]] at::Tensor both(const at::Tensor& x) const {
    return (alone(x) + alone(x.flip({3}))) / 2;
  }

  Made<Model> model;
  Made<Callback> tta;
  Fit fit;
};

TEST(CallbackTta, TakesTheMeanWithTheMirrorImage) {
  const Validated trial({});
  const at::Tensor x = at::rand({4, 3, 16, 16});
  EXPECT_TRUE(at::allclose(trial.seen(x), trial.both(x)));
  EXPECT_FALSE(at::allclose(trial.seen(x), trial.alone(x)));
}

TEST(CallbackTta, GivesHalfTheWeightToMovedImages) {
  const Validated trial({{"shift", std::int64_t{2}}});
  const at::Tensor x = at::rand({4, 3, 16, 16});
  const at::Tensor wide = at::reflection_pad2d(x, {2, 2, 2, 2});
  const auto window = [&](std::int64_t from) {
    return wide.narrow(2, from, 16).narrow(3, from, 16).contiguous();
  };
  const at::Tensor moved = (trial.both(window(0)) + trial.both(window(4))) / 2;
  EXPECT_TRUE(at::allclose(trial.seen(x), (trial.both(x) + moved) / 2, 1e-4, 1e-6));
  const Validated without({{"shift", std::int64_t{2}}, {"flip", false}});
  const at::Tensor plain = (without.alone(window(0)) + without.alone(window(4))) / 2;
  EXPECT_TRUE(at::allclose(without.seen(x), (without.alone(x) + plain) / 2, 1e-4, 1e-6));
}

TEST(CallbackTta, TurnsBackWhatIsSaidOfPlaces) {
  const Validated trial({}, "unet", 16);
  const at::Tensor x = at::rand({2, 3, 16, 16});
  const at::Tensor mirrored = trial.alone(x.flip({3})).flip({3});
  EXPECT_TRUE(at::allclose(trial.seen(x), (trial.alone(x) + mirrored) / 2, 1e-4, 1e-6));
  const Validated shifted({{"shift", std::int64_t{1}}}, "unet", 16);
  EXPECT_EQ(error_of([&] { static_cast<void>(shifted.seen(x)); }),
            "callback/tta: the model says something of each place of an image, which shifts would "
            "move; expected shift = 0");
}

TEST(CallbackTta, TurnsBackPoints) {
  const Validated trial({});
  const auto said = [](Model& model, const at::Tensor& x, const Type& type) {
    Batch batch = batch_of(x);
    batch.targets = {{at::zeros({4, 5, 2}), &type}};
    return model.outputs(batch).main();
  };
  const at::Tensor x = at::rand({4, 3, 16, 16});
  const at::Tensor back = at::tensor({-1, 1, -1, 1, -1, 1, -1, 1, -1, 1});
  const at::Tensor expected = (trial.alone(x) + trial.alone(x.flip({3})) * back) / 2;
  EXPECT_TRUE(at::allclose(said(*trial.fit.model, x, kPoints), expected));
  EXPECT_EQ(error_of([&] { static_cast<void>(said(*trial.fit.model, x, kBoxes)); }),
            "callback/tta: boxes of several views have no mean; remove it");
  const Validated shifted({{"shift", std::int64_t{1}}});
  EXPECT_EQ(error_of([&] { static_cast<void>(said(*shifted.fit.model, x, kPoints)); }),
            "callback/tta: the model says something of each place of an image, which shifts would "
            "move; expected shift = 0");
}

TEST(CallbackTta, GoesOutAgain) {
  Validated trial({});
  EXPECT_NE(trial.fit.model, &*trial.model);
  trial.tta->after_validate(trial.fit);
  EXPECT_EQ(trial.fit.model, &*trial.model);
  const Validated off({{"flip", false}});
  EXPECT_EQ(off.fit.model, &*off.model);
}

TEST(CallbackTta, WantsImagesThatAreLargeEnough) {
  EXPECT_EQ(error_of([] {
              const Validated trial({{"shift", std::int64_t{16}}});
            }),
            "callback/tta: shift is 16, expected less than the images' height and width");
}

}  // namespace
}  // namespace paribus::testing
