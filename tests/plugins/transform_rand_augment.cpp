// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "data.h"

namespace paribus::test {
namespace {

using Params = std::map<std::string, Value>;

const Stream kStream(11, "data.transforms.test");

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> items;
  for (std::int64_t i = 0; i < count; ++i) items.push_back(i);
  return items;
}

Batch applied(const Params& params, const at::Tensor& images, std::vector<std::int64_t> items) {
  Batch batch = batch_of(images, std::move(items));
  make("transform", "rand_augment", params).as<Transform>().apply(batch, kStream);
  return batch;
}

/// rand_augment_golden.json, which rand_augment_reference.py makes, is right to a level.
TEST(RandAugment, EachOperationIsTheFormulas) {
  std::ifstream file(PARIBUS_TEST_DIR "/rand_augment_golden.json");
  const auto golden = nlohmann::json::parse(file);
  const std::vector<std::int64_t> shape{1, 3, golden.at("height").get<std::int64_t>(),
                                        golden.at("width").get<std::int64_t>()};
  const auto tensor = [&](const nlohmann::json& values) {
    return at::tensor(values.get<std::vector<std::int64_t>>(), at::kByte).view(shape);
  };
  const at::Tensor images = tensor(golden.at("image")).expand({12, -1, -1, -1});
  ASSERT_EQ(golden.at("cases").size(), 28U);
  for (const auto& one : golden.at("cases")) {
    SCOPED_TRACE(one.at("only").get<std::string>() + " of " + one.at("magnitude").dump());
    const Params params{{"n", std::int64_t{1}},
                        {"magnitude", one.at("magnitude").get<std::int64_t>()},
                        {"only", one.at("only").get<std::string>()},
                        {"mode", std::string("border")}};
    const at::Tensor output = applied(params, images, numbers(12)).input();
    std::vector<int> seen(one.at("results").size());
    for (std::int64_t i = 0; i < 12; ++i) {
      for (std::size_t sign = 0; sign < seen.size(); ++sign) {
        const at::Tensor expected = tensor(one.at("results")[sign])[0].to(at::kInt);
        seen[sign] += (output[i].to(at::kInt) - expected).abs().max().item<int>() <= 1 ? 1 : 0;
      }
    }
    EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), 0), 12);
    for (const int count : seen) EXPECT_GT(count, 1) << "both signs are drawn";
  }
}

TEST(RandAugment, MasksStayOnTheirThings) {
  const at::Tensor coarse = at::randint(0, 2, {40, 1, 5, 5}, at::kByte);
  const at::Tensor truth = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3).contiguous();
  for (const std::string only : {"shear_x", "shear_y", "translate_x", "translate_y", "rotate"}) {
    for (const std::string mode : {"reflect", "border", "zero"}) {
      Batch batch = batch_of(truth * 255, numbers(40));
      batch.targets = {{truth.clone(), &kMask}};
      make(
          "transform", "rand_augment",
          {{"only", only}, {"mode", mode}, {"n", std::int64_t{1}}, {"magnitude", std::int64_t{20}}})
          .as<Transform>()
          .apply(batch, kStream);
      const at::Tensor sure = batch.input().eq(0).logical_or(batch.input().eq(255));
      const at::Tensor wrong = batch.input().eq(255).ne(batch.target()).logical_and(sure).sum();
      EXPECT_EQ(wrong.item<std::int64_t>(), 0) << only << " " << mode;
      EXPECT_GT(sure.to(at::kFloat).mean().item<float>(), 0.6) << only;
      EXPECT_FALSE(at::equal(batch.target(), truth)) << only;
    }
  }
}

TEST(RandAugment, ColoursLeaveMasksAndNumbersAlone) {
  const at::Tensor truth = at::randint(0, 11, {60, 1, 24, 24}, at::kByte);
  Batch batch = batch_of(at::randint(0, 256, {60, 3, 24, 24}, at::kByte), numbers(60));
  const at::Tensor images = batch.input().clone();
  batch.targets = {{truth.clone(), &kMask}};
  for (const std::string only :
       {"brightness", "saturation", "contrast", "sharpness", "posterize", "solarize", "equalize"}) {
    batch.inputs.front().data = images.clone();
    make("transform", "rand_augment", {{"only", only}}).as<Transform>().apply(batch, kStream);
    EXPECT_TRUE(at::equal(batch.target(), truth)) << only;
    EXPECT_FALSE(at::equal(batch.input(), images)) << only;
  }
}

TEST(RandAugment, AnItemsDrawsAreItsOwn) {
  const at::Tensor images = at::randint(0, 256, {30, 3, 12, 16}, at::kByte);
  const at::Tensor together = applied({}, images, numbers(30)).input();
  EXPECT_GT(together.ne(images).flatten(1).any(1).sum().item<std::int64_t>(), 15);
  for (const std::int64_t i : {29, 0, 13}) {
    const at::Tensor alone = applied({}, images.narrow(0, i, 1), {i}).input();
    EXPECT_TRUE(at::equal(alone[0], together[i])) << i;
  }
}

TEST(RandAugment, NoOperationsKeepAllBits) {
  const at::Tensor images = at::randint(0, 256, {30, 1, 12, 16}, at::kByte);
  EXPECT_TRUE(at::equal(applied({{"n", std::int64_t{0}}}, images, numbers(30)).input(), images));
  EXPECT_TRUE(
      at::equal(applied({{"only", std::string("identity")}}, images, numbers(30)).input(), images));
}

TEST(RandAugment, SaysWhatDoesntFit) {
  EXPECT_EQ(error_of([] {
              applied({}, at::rand({2, 3, 8, 8}), numbers(2));
            }),
            "transform/rand_augment: the images are of type float, expected bytes from 0 to 255; "
            "put it before normalize");
  EXPECT_TEXT(error_of([] {
                make("transform", "rand_augment").as<Transform>().setup(spec_of({5, 8, 8}));
              }),
              "transform/rand_augment: the images have 5 channels, expected 1 or 3");
  EXPECT_TEXT(error_of([] {
                make("transform", "rand_augment", {{"only", std::string("invert")}})
                    .as<Transform>()
                    .setup(spec_of({3, 8, 8}));
              }),
              "only: no such operation, got 'invert', expected one of identity, shear_x");
}

}  // namespace
}  // namespace paribus::test
