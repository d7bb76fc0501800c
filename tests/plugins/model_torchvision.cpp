// SPDX-License-Identifier: Apache-2.0
// Networks with torchvision's names against models_golden.json, which models_reference.py makes
// with the same networks in plain PyTorch.
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "data.h"
#include "paribus/checkpoint.h"
#include "paribus/model_base.h"
#include "parts.h"

namespace paribus::testing {
namespace {

nlohmann::json made() {
  std::ifstream file(PARIBUS_TEST_DIR "/models_golden.json");
  return nlohmann::json::parse(file);
}

DataSpec images(std::int64_t channels, std::int64_t size, std::int64_t classes) {
  DataSpec data;
  data.inputs = {{&kImage, {channels, size, size}}};
  data.targets = {{&kCategory, {}}};
  data.classes = classes;
  return data;
}

at::Tensor run(Model& model, const at::Tensor& input) {
  const at::NoGradGuard no_grad;
  Batch batch;
  batch.inputs = {{input, &kImage}};
  return model.outputs(batch).main();
}

/// The pattern that golden.py calls numbers(shape, 5).
at::Tensor pattern(std::int64_t size) {
  at::Tensor result = at::empty({2, 3, size, size});
  auto* value = result.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < result.numel(); ++i)
    value[i] = static_cast<float>(std::sin(1.7 * static_cast<double>(i) + 0.3 * 5 + 0.1));
  return result;
}

std::map<std::string, at::Tensor> tensors(Model& model) {
  std::map<std::string, at::Tensor> all;
  for (const auto& [name, weight] : model.weights()) all[name] = weight.detach();
  for (const auto& [name, buffer] : model.buffers_by_name()) all[name] = buffer;
  return all;
}

void fill(Model& model) {
  std::uint64_t number = 0;
  for (const auto& [name, tensor] : tensors(model)) {
    ++number;
    if (!tensor.is_floating_point()) continue;
    const double scale = tensor.dim() > 1
                             ? std::sqrt(6 / static_cast<double>(tensor.numel() / tensor.size(0)))
                             : 0.1;
    const double middle =
        tensor.dim() == 1 && (name.ends_with("running_var") || name.ends_with(".weight")) ? 1 : 0;
    std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
    for (std::uint64_t i = 0; i < values.size(); ++i) {
      const auto bits = static_cast<std::uint32_t>(i * i * 2654435761U + 40503 * number);
      values[i] = static_cast<float>(middle + scale * (bits / 2147483648.0 - 1));
    }
    at::Tensor target = tensor;
    target.copy_(at::tensor(values).view(tensor.sizes()));
  }
}

/// What asks for the class of each pixel.
DataSpec pixels(std::int64_t height, std::int64_t width, std::int64_t classes) {
  DataSpec data = images(3, height, classes);
  data.inputs.front().shape[2] = width;
  data.targets = {{&kMask, {1, height, width}}};
  return data;
}

TEST(TorchvisionModels, HaveItsNamesAndScores) {
  const auto cases = made().at("cases");
  ASSERT_EQ(cases.size(), 5U);
  for (const auto& one : cases) {
    const PartSpec spec = part_spec_from_json(one.at("part"));
    SCOPED_TRACE(spec.use);
    const auto size = one.at("size").get<std::int64_t>();
    const Made<Model> net(spec);
    net->build(spec.use == "unet" ? pixels(size, size, 5) : images(3, size, 5));
    std::vector<std::string> names;
    for (const auto& [name, weight] : net->weights()) names.push_back(name);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, one.at("names").get<std::vector<std::string>>());
    fill(*net);
    net->set_training(false);
    const at::Tensor scores = run(*net, pattern(size)).flatten();
    const at::Tensor expected = at::tensor(one.at("scores").get<std::vector<double>>(), at::kFloat);
    EXPECT_TRUE(at::allclose(scores, expected, 1e-3, 1e-4)) << scores << expected;
    EXPECT_GT((scores.slice(0, 0, 5) - scores.slice(0, 5, 10)).abs().max().item<float>(), 0.001)
        << "or it doesn't look at the picture";
  }
}

TEST(TorchvisionModels, HaveItsNumberOfWeights) {
  const std::map<std::string, std::int64_t> published{{"resnet18", 11689512},
                                                      {"resnet34", 21797672},
                                                      {"resnet50", 25557032},
                                                      {"squeezenet1_1", 1235496},
                                                      {"unet", 31102568}};
  const auto counts = made().at("counts");
  for (const auto& [use, expected] : published) {
    const Made<Model> net(part("model", use));
    net->build(use == "unet" ? pixels(224, 224, 1000) : images(3, 224, 1000));
    std::int64_t count = 0;
    for (const auto& [name, weight] : net->weights()) count += weight.numel();
    EXPECT_EQ(count, expected) << use;
    EXPECT_EQ(counts.at(use).get<std::int64_t>(), expected) << use;
  }
}

TEST(TorchvisionModels, GradientsReachEveryWeight) {
  for (const std::string use : {"resnet18", "resnet50"}) {
    const Made<Model> net(
        part("model", use, {{"width", std::int64_t{4}}, {"stem", std::string("cifar")}}));
    net->build(images(3, 16, 3));
    Batch batch;
    batch.inputs = {{at::rand({4, 3, 16, 16}), &kImage}};
    net->outputs(batch).main().square().sum().backward();
    for (const auto& [name, weight] : net->weights())
      EXPECT_TRUE(weight.grad().defined() && weight.grad().abs().sum().item<float>() > 0) << name;
  }
}

TEST(Unet, ScoresEveryPixelOfAnySize) {
  const Made<Model> net(
      part("model", "unet", {{"width", std::int64_t{2}}, {"depth", std::int64_t{3}}}));
  net->build(pixels(21, 30, 4));
  for (const auto& [height, width] :
       {std::pair<std::int64_t, std::int64_t>{21, 30}, {24, 32}, {8, 9}}) {
    const at::Tensor scores = run(*net, at::rand({2, 3, height, width}));
    EXPECT_EQ(scores.sizes(), (std::vector<std::int64_t>{2, 4, height, width}));
  }
  // As far as the sides are divisible, what stands beyond doesn't count.
  net->set_training(false);
  const at::Tensor whole = at::rand({1, 3, 16, 16});
  const at::Tensor cut = whole.narrow(2, 0, 15);
  const at::Tensor continued = at::cat({cut, cut.narrow(2, 14, 1)}, 2);
  EXPECT_TRUE(at::equal(run(*net, cut), run(*net, continued).narrow(2, 0, 15)));
  Batch batch;
  batch.inputs = {{at::rand({2, 3, 21, 30}), &kImage}};
  net->set_training(true);
  net->outputs(batch).main().square().sum().backward();
  for (const auto& [name, weight] : net->weights())
    EXPECT_TRUE(weight.grad().defined() && weight.grad().abs().sum().item<float>() > 0) << name;
}

TEST(Unet, SaysWhatDoesntFit) {
  const auto build = [](const DataSpec& data) {
    return error_of([&] { Made<Model>(part("model", "unet"))->build(data); });
  };
  EXPECT_EQ(build(images(3, 64, 10)),
            "model/unet: the target is category, expected a mask, the class of each pixel; for one "
            "class for the image take resnet18");
  EXPECT_EQ(build(pixels(8, 64, 10)),
            "model/unet: the input is image of 3 x 8 x 64, expected an image C H W of at least 16 "
            "x 16; for smaller ones take convnet");
}

TEST(Resnet, DropPathLeavesBlocksOutInTrainingAlone) {
  const Made<Model> net(
      part("model", "resnet18", {{"width", std::int64_t{4}}, {"stem", std::string("cifar")}}));
  net->build(images(3, 16, 3));
  const at::Tensor x = at::rand({8, 3, 16, 16});
  net->set_training(false);
  const at::Tensor validated = run(*net, x);
  net.set("model.drop_path", 0.9);
  EXPECT_TRUE(bitwise_equal(run(*net, x), validated));
  net->set_training(true);
  EXPECT_FALSE(at::equal(run(*net, x), run(*net, x)));
  net.set("model.drop_path", 0.0);
  EXPECT_TRUE(bitwise_equal(run(*net, x), run(*net, x)));
}

TEST(Resnet, SaysWhatDoesntFit) {
  const auto build = [](const std::string& use, const DataSpec& data,
                        std::map<std::string, Value> params = {}) {
    return error_of([&] { Made<Model>(part("model", use, std::move(params)))->build(data); });
  };
  EXPECT_EQ(
      build("resnet18", images(3, 28, 10)),
      "model/resnet18: the input is image of 3 x 28 x 28, expected an image C H W of at least "
      "32 x 32; for smaller ones take convnet");
  EXPECT_EQ(
      build("resnet34", images(3, 64, 10), {{"inner", 2.0}}),
      "model/resnet34: its blocks are no bottlenecks, got inner = 2.000000, expected 1; for a "
      "wider network set width");
}

// Pre-trained weights.

using test::Folder;

std::string started(const std::string& file, std::int64_t channels, std::int64_t classes) {
  return error_of([&] {
    const Made<Model> net(
        part("model", "resnet18", {{"width", std::int64_t{4}}, {"pretrained", file}}));
    net->build(images(channels, 32, classes));
  });
}

NamedTensors weights_of_a_net() {
  const Made<Model> net(part("model", "resnet18", {{"width", std::int64_t{4}}}));
  net->build(images(3, 32, 7));
  fill(*net);
  NamedTensors all;
  for (const auto& [name, tensor] : tensors(*net)) all.emplace_back(name, tensor.clone());
  return all;
}

TEST(Pretrained, HeadsAdaptAndTheRestIsTaken) {
  const Folder folder;
  const std::string file = (folder.path() / "net.safetensors").string();
  const NamedTensors given = weights_of_a_net();
  write_safetensors(file, given);
  for (const std::int64_t classes : {7, 3}) {
    const Made<Model> net(
        part("model", "resnet18", {{"width", std::int64_t{4}}, {"pretrained", file}}));
    net->build(images(3, 32, classes));
    const auto now = tensors(*net);
    for (const auto& [name, tensor] : given) {
      const bool head = name.starts_with("fc.");
      EXPECT_EQ(at::equal(now.at(name), tensor), !head || classes == 7) << name;
    }
    EXPECT_EQ(now.at("fc.weight").size(0), classes);
  }
}

TEST(Pretrained, GreyImagesTakeTheSumOfTheColours) {
  const Folder folder;
  const std::string file = (folder.path() / "net.safetensors").string();
  const NamedTensors given = weights_of_a_net();
  write_safetensors(file, given);
  const Made<Model> net(
      part("model", "resnet18", {{"width", std::int64_t{4}}, {"pretrained", file}}));
  net->build(images(1, 32, 7));
  for (const auto& [name, tensor] : given) {
    if (name == "conv1.weight") {
      EXPECT_TRUE(at::allclose(tensors(*net).at(name), tensor.sum(1, true)));
    }
  }
}

TEST(Pretrained, AFileOfAnotherNetworkIsAnError) {
  const Folder folder;
  const std::string file = (folder.path() / "net.safetensors").string();
  NamedTensors given = weights_of_a_net();
  const auto find = [&](const std::string& name) {
    return std::find_if(given.begin(), given.end(),
                        [&](const auto& entry) { return entry.first == name; });
  };
  find("bn1.weight")->second.fill_(std::nan(""));
  write_safetensors(file, given);
  EXPECT_EQ(started(file, 3, 7), "model/resnet18: " + file +
                                     ": these are not weights of this network; not finite: "
                                     "bn1.weight; 121 tensors fit");
  given.erase(find("bn1.weight"));
  find("conv1.weight")->second = at::zeros({4, 3, 5, 5});
  write_safetensors(file, given);
  EXPECT_EQ(started(file, 3, 7),
            "model/resnet18: " + file +
                ": these are not weights of this network; missing: bn1.weight; of another shape: "
                "conv1.weight ([4, 3, 5, 5] there, [4, 3, 7, 7] here); 120 tensors fit");
  EXPECT_TEXT(started(file + ".gone", 3, 7), "net.safetensors.gone");
  std::ofstream(file) << "no weights";
  EXPECT_TEXT(started(file, 3, 7), "net.safetensors");
}

TEST(Pretrained, SqueezenetScoresAsItsRealWeightsDoInPyTorch) {
  REAL_DATA(folder, "pretrained");
  const std::string file = (folder / "squeezenet1_1-imagenet.safetensors").string();
  const Made<Model> net(part("model", "squeezenet1_1", {{"pretrained", file}}));
  net->build(images(3, 96, 1000));
  net->set_training(false);
  const at::Tensor scores = run(*net, pattern(96))[0].slice(0, 0, 10);
  const at::Tensor expected =
      at::tensor(made().at("pretrained").get<std::vector<double>>(), at::kFloat);
  EXPECT_TRUE(at::allclose(scores, expected, 1e-3, 1e-4)) << scores << expected;
}

}  // namespace
}  // namespace paribus::testing
