// SPDX-License-Identifier: Apache-2.0
#include "paribus/groups.h"
#include "paribus/model_base.h"
#include "parts.h"

namespace paribus::testing {
namespace {

DataSpec images(std::int64_t channels, std::int64_t size, std::int64_t classes = 10) {
  DataSpec data;
  data.inputs = {{&kImage, {channels, size, size}}};
  data.targets = {{&kCategory, {}}};
  data.classes = classes;
  return data;
}

std::int64_t weights_in(Model& model) {
  std::int64_t count = 0;
  for (const auto& [name, weight] : model.weights()) count += weight.numel();
  return count;
}

at::Tensor run(Model& model, const at::Tensor& input) {
  Batch batch;
  batch.inputs = {{input, &kImage}};
  return model.outputs(batch).main();
}

TEST(ModelMlp, HasTheLayersAskedFor) {
  const Made<Model> mlp(part("model", "mlp", {{"hidden", std::vector<std::int64_t>{30, 20}}}));
  mlp->build(images(1, 28));
  EXPECT_EQ(weights_in(*mlp), 784 * 30 + 30 + 30 * 20 + 20 + 20 * 10 + 10);
  EXPECT_EQ(run(*mlp, at::rand({3, 1, 28, 28})).sizes(), (std::vector<std::int64_t>{3, 10}));
}

TEST(ModelMlp, WithoutHiddenLayersIsLinear) {
  const Made<Model> mlp(part("model", "mlp", {{"hidden", std::vector<std::int64_t>{}}}));
  DataSpec data;
  data.inputs = {{&kTensor, {4}}};
  data.targets = {{&kRegression, {3}}};
  mlp->build(data);
  const at::Tensor x = at::rand({2, 4});
  const auto weights = mlp->weights();
  ASSERT_EQ(weights.size(), 2U);
  EXPECT_TRUE(at::allclose(run(*mlp, x), at::linear(x, weights[0].second, weights[1].second)));
}

TEST(ModelConvnet, IsMiniaisForFashionMnist) {
  const Made<Model> net(part("model", "convnet"));
  net->build(images(1, 28));
  const std::int64_t convolutions = 9 * (1 * 8 + 8 * 16 + 16 * 32 + 32 * 64 + 64 * 10);
  EXPECT_EQ(weights_in(*net), convolutions + 2 * (8 + 16 + 32 + 64) + 10);
  EXPECT_EQ(run(*net, at::rand({3, 1, 28, 28})).sizes(), (std::vector<std::int64_t>{3, 10}));
  EXPECT_EQ(run(*net, at::rand({2, 1, 64, 64})).sizes(), (std::vector<std::int64_t>{2, 10}));
}

TEST(ModelConvnet, IsFastbooksSimpleCnn) {
  const Made<Model> net(
      part("model", "convnet",
           {{"norm", false}, {"first_kernel", std::int64_t{5}}, {"init", std::string("default")}}));
  net->build(images(1, 28));
  EXPECT_EQ(weights_in(*net),
            25 * 8 + 8 + 9 * 8 * 16 + 16 + 9 * 16 * 32 + 32 + 9 * 32 * 64 + 64 + 9 * 64 * 10 + 10);
  EXPECT_TRUE(net->buffers_by_name().empty());
}

TEST(ModelConvnet, KaimingKeepsTheScaleOfActivations) {
  const Made<Model> net(
      part("model", "convnet",
           {{"channels", std::vector<std::int64_t>{64, 64}}, {"kernel", std::int64_t{5}}}));
  net->build(images(16, 28));
  for (const auto& [name, weight] : net->weights()) {
    if (weight.dim() != 4) continue;
    const double fan_in = static_cast<double>(weight.size(1) * 25);
    EXPECT_NEAR(weight.std().item<double>() / std::sqrt(2 / fan_in), 1, 0.05) << name;
  }
}

TEST(ModelConvnet, EveryActivationRuns) {
  for (const std::string act : {"relu", "leaky", "general", "gelu", "silu"}) {
    const Made<Model> net(part("model", "convnet", {{"act", act}}));
    net->build(images(3, 32));
    EXPECT_TRUE(run(*net, at::randn({2, 3, 32, 32})).isfinite().all().item<bool>()) << act;
  }
}

TEST(ModelResnet9, HasPagesWeights) {
  const Made<Model> net(part("model", "resnet9"));
  net->build(images(3, 32));
  EXPECT_EQ(weights_in(*net), 6573120);  // 6,568,640 of convolutions and head, 4,480 of batch norms
  net->set_training(false);
  EXPECT_EQ(run(*net, at::rand({2, 3, 32, 32})).sizes(), (std::vector<std::int64_t>{2, 10}));
}

TEST(ModelResnet9, ScalesItsScores) {
  const Made<Model> net(part("model", "resnet9", {{"width", std::int64_t{4}}}));
  net->build(images(3, 16));
  net->set_training(false);
  const at::Tensor x = at::rand({2, 3, 16, 16});
  const at::Tensor scores = run(*net, x);
  net.set("model.logit_scale", 0.25);
  EXPECT_TRUE(at::allclose(run(*net, x), scores * 2));
}

TEST(ModelAirbench, HasJordansWeights) {
  const Made<Model> net(part("model", "airbench"));
  net->build(images(3, 32));
  const std::int64_t convolutions =
      9 * (24 * 64 + 64 * 64 + 64 * 256 + 256 * 256 + 256 * 256 + 256 * 256);
  EXPECT_EQ(weights_in(*net), convolutions + 24 + 2 * 64 + 4 * 256 + 2560) << "1.97 M";
  net->set_training(false);
  EXPECT_EQ(run(*net, at::rand({2, 3, 32, 32})).sizes(), (std::vector<std::int64_t>{2, 10}));
  const at::Tensor first = net->weights().at(1).second;  // behind the bias of the whitening
  EXPECT_TRUE(first[23][23].equal(at::eye(3).mul(at::tensor({0, 1, 0}).view({3, 1}))))
      << "a filter that hands its input on";
  EXPECT_EQ(first.narrow(0, 0, 24).sum().item<float>(), 24);
}

TEST(ModelAirbench, WhitensThePatchesOfTheFirstTrainingBatch) {
  const Made<Model> net(part("model", "airbench", {{"widths", std::vector<std::int64_t>{4}}}));
  net->build(images(3, 12));
  const auto filters = [&] { return net->buffers_by_name().at(0).second.clone(); };
  const at::Tensor before = filters();
  // Neighbours that are alike, as in pictures.
  const at::Tensor x = at::avg_pool2d(at::randn({64, 3, 14, 14}), 3, 1).mul(3);
  net->set_training(false);
  run(*net, x);
  EXPECT_TRUE(filters().equal(before)) << "an evaluation decides nothing";
  net->set_training(true);
  run(*net, x);
  const at::Tensor whitened = filters();
  EXPECT_TRUE(whitened.narrow(0, 12, 12).equal(whitened.narrow(0, 0, 12).neg()));
  const at::Tensor y = at::conv2d(x, whitened.narrow(0, 0, 12)).transpose(0, 1).flatten(1);
  const at::Tensor moments = y.mm(y.t()).div(static_cast<double>(y.size(1)));
  EXPECT_LT(moments.sub(at::eye(12)).abs().max().item<float>(), 0.05)
      << "as much of everything, and nothing of it twice";
  run(*net, at::rand_like(x));
  EXPECT_TRUE(filters().equal(whitened)) << "the first batch decides";
}

TEST(ModelAirbench, IsItsFormula) {
  const Made<Model> net(part("model", "airbench", {{"widths", std::vector<std::int64_t>{5}}}));
  net->build(images(3, 10));
  const at::Tensor x = at::rand({4, 3, 10, 10});
  run(*net, x);  // decides the whitening, and moves the statistics
  net->set_training(false);
  std::map<std::string, at::Tensor> of;
  for (const auto& all : {net->weights(), net->buffers_by_name()})
    of.insert(all.begin(), all.end());
  const auto norm = [&](const at::Tensor& y, const std::string& name) {
    const at::Tensor scale = of.at(name + ".running_var").add(1e-12).rsqrt();
    const at::Tensor shown = (y - of.at(name + ".running_mean").view({-1, 1, 1}));
    return shown * scale.view({-1, 1, 1}) + of.at(name + ".bias").view({-1, 1, 1});
  };
  at::Tensor y = at::gelu(at::conv2d(x, of.at("whiten_weight"), of.at("whiten_bias")));
  y = at::max_pool2d(at::conv2d(y, of.at("groups.0.conv1.weight"), {}, 1, 1), 2);
  y = at::gelu(norm(y, "groups.0.norm1"));
  y = at::gelu(norm(at::conv2d(y, of.at("groups.0.conv2.weight"), {}, 1, 1), "groups.0.norm2"));
  const at::Tensor scores = at::linear(y.amax({2, 3}), of.at("head.weight")) / 9;
  EXPECT_TRUE(at::allclose(run(*net, x), scores, 1e-4, 1e-5));
}

TEST(ModelErrors, SayWhatDoesntFit) {
  const auto build = [](const std::string& use, const DataSpec& data) {
    return error_of([&] { Made<Model>(part("model", use))->build(data); });
  };
  DataSpec rows;
  rows.inputs = {{&kTensor, {14}}};
  rows.classes = 2;
  EXPECT_EQ(build("convnet", rows),
            "model/convnet: the input is tensor with 1 dimensions, expected an image C H W; for "
            "rows take mlp");
  EXPECT_EQ(build("resnet9", images(3, 7)),
            "model/resnet9: the input is image of 3 x 7 x 7, expected an image C H W of at least 8 "
            "x 8; for smaller "
            "ones take convnet");
  EXPECT_EQ(
      build("airbench", images(3, 8)),
      "model/airbench: the input is image of 3 x 8 x 8, expected an image C H W of at least 9 x 9");
}

/// Names of the weights with which layer groups begin.
std::vector<std::string> groups_of(const std::string& use) {
  const Made<Model> net(part("model", use));
  net->build(images(3, 64));
  const Groups groups(net->weights(), net->layer_groups());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < groups.weights().size(); ++i) {
    if (i == 0 || groups.layer_of(i) != groups.layer_of(i - 1))
      names.push_back(groups.weights()[i].first);
  }
  return names;
}

TEST(ModelLayerGroups, AreSplitAsFastaiSplitsThem) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(groups_of("resnet18"), (Names{"conv1.weight", "layer3.0.conv1.weight", "fc.weight"}));
  EXPECT_EQ(groups_of("squeezenet1_1"),
            (Names{"features.0.weight", "features.6.squeeze.weight", "classifier.1.weight"}));
  EXPECT_EQ(groups_of("resnet9"), (Names{"prep.conv.weight", "layer2.conv.weight", "head.weight"}));
  EXPECT_EQ(groups_of("mlp"), (Names{"layers.0.weight", "layers.1.weight"}));
  EXPECT_EQ(groups_of("convnet"), (Names{"convs.0.weight", "head.weight"}));
}

}  // namespace
}  // namespace paribus::testing
