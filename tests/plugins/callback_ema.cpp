// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>

#include "paribus/callback.h"
#include "parts.h"

namespace paribus::testing {
namespace {

/// A model whose weights the test moves by hand, and the callback's view of it.
struct Stage {
  explicit Stage(const std::string& use = "mlp") : model(part("model", use)) {
    DataSpec data;
    data.inputs = {{&kImage, {1, 8, 8}}};
    data.classes = 3;
    model->build(data);
    fit.model = &*model;
  }
  void move(double distance) const {
    const at::NoGradGuard no_grad;
    for (const at::Tensor& tensor : tensors()) {
      if (tensor.is_floating_point()) tensor.add_(distance);
    }
  }
  [[nodiscard]] std::vector<at::Tensor> tensors() const {
    std::vector<at::Tensor> all;
    for (const auto& [name, weight] : model->weights()) all.push_back(weight.detach());
    for (const auto& [name, buffer] : model->buffers_by_name()) all.push_back(buffer);
    return all;
  }
  [[nodiscard]] std::vector<at::Tensor> copy() const {
    std::vector<at::Tensor> all;
    for (const at::Tensor& tensor : tensors()) all.push_back(tensor.clone());
    return all;
  }
  [[nodiscard]] bool holds(const std::vector<at::Tensor>& expected) const {
    const auto now = tensors();
    return std::equal(now.begin(), now.end(), expected.begin(), expected.end(), bitwise_equal);
  }

  Made<Model> model;
  Fit fit;
};

TEST(CallbackEma, ValidatesOnTheAverageAndPutsTheWeightsBack) {
  const Made<Callback> ema(part("callback", "ema", {{"decay", 0.5}, {"warmup", false}}));
  Stage stage;
  const at::Tensor start = stage.tensors()[0].clone();
  ema->before_fit(stage.fit);
  stage.move(1), ema->after_step(stage.fit);
  stage.move(1), ema->after_step(stage.fit);
  const auto trained = stage.copy();
  ema->before_validate(stage.fit);
  EXPECT_TRUE(at::allclose(stage.tensors()[0], start + 1.25));  // 0.5 (0.5 (0 + 1) + 2)
  ema->after_validate(stage.fit);
  EXPECT_TRUE(stage.holds(trained));
}

TEST(CallbackEma, WarmUpForgetsTheFirstWeights) {
  const Made<Callback> ema(part("callback", "ema", {{"decay", 0.999}}));
  Stage stage;
  const at::Tensor start = stage.tensors()[0].clone();
  ema->before_fit(stage.fit);
  stage.move(1), ema->after_step(stage.fit);
  ema->before_validate(stage.fit);
  EXPECT_TRUE(
      at::allclose(stage.tensors()[0], start + 9.0 / 11));  // decay 2 / 11 at the first step
}

TEST(CallbackEma, DecayZeroIsNothing) {
  const Made<Callback> ema(part("callback", "ema", {{"decay", 0.0}}));
  Stage stage("convnet");
  ema->before_fit(stage.fit);
  for (const double distance : {0.3, -0.17, 1e-3}) {
    stage.move(distance);
    const auto trained = stage.copy();
    ema->after_step(stage.fit);
    ema->before_validate(stage.fit);
    EXPECT_TRUE(stage.holds(trained));
    ema->after_validate(stage.fit);
    EXPECT_TRUE(stage.holds(trained));
  }
}

TEST(CallbackEma, AveragesRunningStatisticsUnlessToldNotTo) {
  for (const bool average : {true, false}) {
    const Made<Callback> ema(
        part("callback", "ema", {{"decay", 0.5}, {"warmup", false}, {"average_buffers", average}}));
    Stage stage("convnet");
    const auto buffer = [&] { return stage.model->buffers_by_name().front().second.clone(); };
    ema->before_fit(stage.fit);
    const at::Tensor before = buffer();
    stage.move(1), ema->after_step(stage.fit);
    ema->before_validate(stage.fit);
    EXPECT_TRUE(at::allclose(buffer(), before + (average ? 0.5 : 1)));
    ema->after_validate(stage.fit);
    EXPECT_TRUE(at::allclose(buffer(), before + 1));
  }
}

}  // namespace
}  // namespace paribus::testing
