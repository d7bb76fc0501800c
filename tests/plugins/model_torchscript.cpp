// SPDX-License-Identifier: Apache-2.0
#include <torch/script.h>

#include <filesystem>

#include "paribus/model_base.h"
#include "parts.h"

namespace paribus::testing {
namespace {

namespace fs = std::filesystem;

class TorchScriptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = fs::path(::testing::TempDir()) /
            (std::string("script_") +
             ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".pt");
    fs::remove(file_);
  }
  void TearDown() override { fs::remove(file_); }

  /// A line with its own weights, and a number that training doesn't change.
  void save(const std::string& forward) {
    torch::jit::Module net("net");
    net.register_attribute("training", c10::BoolType::get(), true);
    const at::Tensor weight = at::tensor({1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F}).view({3, 2});
    net.register_parameter("w", weight.clone().set_requires_grad(true), /*is_buffer=*/false);
    net.register_parameter("fixed", at::ones({2}), /*is_buffer=*/false);
    net.register_buffer("seen", at::zeros({1}));
    net.define(forward);
    net.save(file_.string());
  }

  static DataSpec rows() {
    DataSpec data;
    data.inputs = {{&kTensor, {3}}};
    data.targets = {{&kCategory, {}}};
    data.classes = 2;
    return data;
  }

  [[nodiscard]] Made<Model> model() const {
    return Made<Model>(part("model", "torchscript", {{"file", file_.string()}}));
  }
  [[nodiscard]] std::string refused() const {
    return error_of([&] { model()->build(rows()); });
  }

  static at::Tensor run(Model& model, const at::Tensor& input) {
    Batch batch;
    batch.inputs = {{input, &kTensor}};
    return model.outputs(batch).main();
  }

  fs::path file_;
};

constexpr const char* kLine = R"(
def forward(self, x):
    if self.training:
        self.seen.add_(1)
    return torch.mm(x, self.w) + self.fixed
)";

TEST_F(TorchScriptTest, RunsWithItsOwnWeightsAndTrainsThem) {
  save(kLine);
  const Made<Model> made = model();
  made->build(rows());
  ASSERT_EQ(made->weights().size(), 1);
  EXPECT_EQ(made->weights()[0].first, "w");
  ASSERT_EQ(made->buffers_by_name().size(), 2) << "what wants no gradient is kept as buffers are";
  EXPECT_FALSE(made->has_convolutions());
  const at::Tensor input = at::tensor({1.0F, 0.0F, 2.0F}).view({1, 3});
  for (int step = 1; step <= 3; ++step) {  // an interpreter that profiles would change by then
    const at::Tensor output = run(*made, input);
    EXPECT_TRUE(at::equal(output, at::tensor({12.0F, 15.0F}).view({1, 2})));
    at::Tensor weight = made->weights()[0].second;
    weight.mutable_grad() = at::Tensor();
    output.sum().backward();
    EXPECT_TRUE(at::equal(weight.grad().select(1, 0), at::tensor({1.0F, 0.0F, 2.0F})));
  }
  EXPECT_EQ(made->buffers_by_name()[1].second.item<float>(), 3) << "in training";
  made->set_training(false);
  run(*made, input);
  EXPECT_EQ(made->buffers_by_name()[1].second.item<float>(), 3) << "not in evaluation";
}

TEST_F(TorchScriptTest, SeveralOutputs) {
  save("def forward(self, x):\n    return torch.mm(x, self.w), x\n");
  const Made<Model> made = model();
  made->build(rows());
  Batch batch;
  batch.inputs = {{at::ones({2, 3}), &kTensor}};
  const Outputs outputs = made->outputs(batch);
  ASSERT_EQ(outputs.items().size(), 2);
  EXPECT_EQ(outputs.items()[1].first, "1");
  EXPECT_TRUE(at::equal(outputs.items()[1].second, at::ones({2, 3})));
}

TEST_F(TorchScriptTest, WhatIsNoSuchFileIsNamed) {
  EXPECT_TEXT(refused(), "model/torchscript: " + file_.string() + " can't be read");
  std::ofstream(file_) << "not a zip";
  EXPECT_TEXT(refused(), file_.string() + " is no TorchScript archive: ");
  EXPECT_EQ(error_of([] { Made<Model>(part("model", "torchscript"))->build(rows()); }),
            "model/torchscript: no file is given; set file");
}

TEST_F(TorchScriptTest, WhatDoesNotFitTheDataIsToldBeforeAnyStep) {
  save("def forward(self, x):\n    return torch.mm(x.flatten(0), self.w)\n");
  EXPECT_TEXT(refused(), "doesn't take what the data give, floats of [2, 3]: ");
  save("def forward(self, x):\n    return 3\n");
  EXPECT_TEXT(refused(), "returns int, expected tensors");
}

TEST_F(TorchScriptTest, WeightsThatCantBeTrainedAreNone) {
  torch::jit::Module net("net");
  net.register_buffer("w", at::ones({3, 2}));
  net.define("def forward(self, x):\n    return torch.mm(x, self.w)\n");
  net.save(file_.string());
  EXPECT_TEXT(refused(), "has no weight that wants a gradient");
}

}  // namespace
}  // namespace paribus::testing
