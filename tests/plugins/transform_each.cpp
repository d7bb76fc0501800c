// SPDX-License-Identifier: Apache-2.0
// Each transform of images against LibTorch's own operators or by hand.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/reflection_pad2d.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "data.h"

namespace paribus::test {
namespace {

using Params = std::map<std::string, Value>;

Value whole(std::int64_t value) { return value; }

const Stream kStream(11, "data.transforms.test");

at::Tensor bytes(std::int64_t items, std::int64_t channels, std::int64_t height,
                 std::int64_t width) {
  return at::randint(0, 256, {items, channels, height, width}, at::kByte);
}

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> items;
  for (std::int64_t i = 0; i < count; ++i) items.push_back(i);
  return items;
}

Batch applied(const Instance& part, const at::Tensor& images, Split split = Split::train) {
  Batch batch = batch_of(images, numbers(images.size(0)), split);
  batch.epoch = 2;
  part.as<Transform>().apply(batch, kStream);
  return batch;
}

TEST(Crop, TakesTheDrawnWindowOfThePaddedImage) {
  const at::Tensor images = bytes(50, 2, 7, 9);
  for (const std::string mode : {"zero", "reflect"}) {
    const Instance crop = make("transform", "crop", {{"padding", whole(2)}, {"mode", mode}});
    crop.as<Transform>().setup(spec_of({2, 7, 9}));
    const at::Tensor floats = images.to(at::kFloat);
    const at::Tensor padded = mode == "zero" ? at::constant_pad_nd(floats, {2, 2, 2, 2})
                                             : at::reflection_pad2d(floats, {2, 2, 2, 2});
    const at::Tensor output = applied(crop, images).input();
    for (std::int64_t i = 0; i < 50; ++i) {
      Draws draws = kStream.item(2, i);
      const auto top = static_cast<std::int64_t>(draws.uniform() * 5);
      const auto left = static_cast<std::int64_t>(draws.uniform() * 5);
      EXPECT_TRUE(
          at::equal(output[i].to(at::kFloat), padded[i].narrow(1, top, 7).narrow(2, left, 9)))
          << mode << " " << i;
    }
  }
}

TEST(Crop, WithASizeTakesTheMiddleForValidation) {
  const Instance crop = make("transform", "crop", {{"padding", whole(1)}, {"size", whole(4)}});
  const at::Tensor images = bytes(3, 1, 6, 8);
  const DataSpec out = crop.as<Transform>().setup(spec_of({1, 6, 8}));
  EXPECT_EQ(out.inputs.at(0).shape, (std::vector<std::int64_t>{1, 4, 4}));
  const at::Tensor output = applied(crop, images, Split::valid).input();
  EXPECT_TRUE(at::equal(output, images.narrow(2, 1, 4).narrow(3, 2, 4)));
}

TEST(Crop, MovesMasksWithTheirImages) {
  const Instance crop = make("transform", "crop", {{"padding", whole(3)}});
  const at::Tensor images = bytes(20, 1, 8, 8);
  Batch batch = batch_of(images, numbers(20));
  batch.targets = {{images.to(at::kLong), &kMask}};
  crop.as<Transform>().apply(batch, kStream);
  EXPECT_TRUE(at::equal(batch.input().to(at::kLong), batch.target()));
  EXPECT_FALSE(at::equal(batch.input(), images));
}

TEST(Crop, WindowsAndPaddingThatDontFitAreErrors) {
  const Instance large = make("transform", "crop", {{"padding", whole(1)}, {"size", whole(31)}});
  EXPECT_EQ(error_of([&] {
              large.as<Transform>().setup(spec_of({1, 28, 28}));
            }),
            "transform/crop: the window is larger than the padded image, got size 31, expected at "
            "most 30 for images of "
            "28 x 28 with padding 1");
  const Instance deep =
      make("transform", "crop", {{"padding", whole(8)}, {"mode", std::string("reflect")}});
  EXPECT_EQ(error_of([&] {
              deep.as<Transform>().setup(spec_of({1, 8, 9}));
            }),
            "transform/crop: too much padding to reflect, got 8, expected less than 8 for images "
            "of 8 x 9");
}

TEST(Flip, MirrorsTheDrawnItems) {
  const at::Tensor images = bytes(200, 3, 4, 5);
  const at::Tensor output = applied(make("transform", "flip", {{"p", 0.3}}), images).input();
  int mirrored = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    const bool drawn = kStream.item(2, i).uniform() < 0.3;
    mirrored += drawn ? 1 : 0;
    EXPECT_TRUE(at::equal(output[i], drawn ? at::flip(images[i], {2}) : images[i])) << i;
  }
  EXPECT_NEAR(mirrored, 60, 20);
}

TEST(Flip, EpochsTakeTurns) {
  const at::Tensor images = bytes(200, 3, 4, 5);
  const Instance flip = make("transform", "flip", {{"alternate", true}});
  const auto at_epoch = [&](std::int64_t epoch) {
    Batch batch = batch_of(images.clone(), numbers(200));
    batch.epoch = epoch;
    flip.as<Transform>().apply(batch, kStream);
    return batch.input();
  };
  const at::Tensor first = at_epoch(0), second = at_epoch(1);
  EXPECT_TRUE(at::equal(second, at::flip(first, {3}))) << "each the other way round";
  EXPECT_TRUE(at::equal(at_epoch(2), first));
  EXPECT_TRUE(at::equal(at_epoch(7), second));
  std::int64_t mirrored = 0;
  for (std::int64_t i = 0; i < 200; ++i) mirrored += at::equal(first[i], images[i]) ? 0 : 1;
  EXPECT_NEAR(static_cast<double>(mirrored), 100, 30);
}

TEST(Flip, AlwaysIsAlways) {
  const at::Tensor images = bytes(5, 1, 3, 28).to(at::kDouble);
  const at::Tensor output = applied(make("transform", "flip", {{"p", 1.0}}), images).input();
  EXPECT_TRUE(at::equal(output, at::flip(images, {3})));
}

TEST(Normalize, UsesWhatTheDataState) {
  const Instance part = make("transform", "normalize");
  const DataSpec out = part.as<Transform>().setup(spec_of({2, 3, 4}, {100, 10}, {50, 5}));
  EXPECT_EQ(out.mean, (std::vector<double>{0, 0}));
  EXPECT_EQ(out.std, (std::vector<double>{1, 1}));
  const at::Tensor images = bytes(6, 2, 3, 4);
  const at::Tensor output = applied(part, images).input();
  EXPECT_EQ(output.scalar_type(), at::kFloat);
  const at::Tensor mean = at::tensor({100.0, 10.0}).view({1, 2, 1, 1}),
                   std = at::tensor({50.0, 5.0}).view({1, 2, 1, 1});
  EXPECT_TRUE(at::equal(output, ((images.to(at::kDouble) - mean) / std).to(at::kFloat)));
  EXPECT_TRUE(at::allclose(applied(part, images.to(at::kFloat)).input(), output));
  EXPECT_TRUE(at::equal(applied(part, images, Split::valid).input(), output));
}

TEST(Normalize, TakesOtherValues) {
  const Instance part = make("transform", "normalize",
                             {{"mean", std::vector<double>{1}}, {"std", std::vector<double>{2}}});
  const DataSpec out = part.as<Transform>().setup(spec_of({2, 1, 1}, {5, 9}, {4, 8}));
  EXPECT_EQ(out.mean, (std::vector<double>{2, 4}));
  EXPECT_EQ(out.std, (std::vector<double>{2, 4}));
  EXPECT_EQ(applied(part, at::full({1, 2, 1, 1}, 7, at::kByte)).input().sum().item<float>(), 6);
}

TEST(Normalize, MomentsOfOtherUnitsAreRefused) {
  const Instance part =
      make("transform", "normalize",
           {{"mean", std::vector<double>{0.485}}, {"std", std::vector<double>{0.229}}});
  part.as<Transform>().setup(spec_of({2, 1, 1}, {124, 116}, {58, 57}));
  EXPECT_TEXT(error_of([&] {
                applied(part, at::full({1, 2, 1, 1}, 7, at::kByte));
              }),
              "the images hold bytes from 0 to 255; multiply mean and std by 255");
  EXPECT_NO_THROW(applied(part, at::full({1, 2, 1, 1}, 0.5, at::kFloat)));
}

TEST(Normalize, SaysWhatIsMissing) {
  const Instance part = make("transform", "normalize");
  EXPECT_EQ(error_of([&] {
              part.as<Transform>().setup(spec_of({1, 2, 2}));
            }),
            "transform/normalize: the data state no mean; give mean = [...]");
  const Instance wrong = make("transform", "normalize", {{"mean", std::vector<double>{1, 2}}});
  EXPECT_EQ(
      error_of([&] {
        wrong.as<Transform>().setup(spec_of({3, 2, 2}, {1, 2, 3}, {1, 1, 1}));
      }),
      "transform/normalize: mean has the wrong length, got 2, expected 3, one for each channel");
}

TEST(Resize, AreaIsTheMeanOfWhatAPixelCovers) {
  const at::Tensor images = bytes(3, 2, 8, 8).to(at::kFloat);
  const Instance half = make("transform", "resize", {{"size", whole(4)}});
  EXPECT_TRUE(at::allclose(applied(half, images).input(), at::avg_pool2d(images, 2), 1e-5, 1e-4));
  const Instance third =
      make("transform", "resize", {{"size", whole(2)}});  // 3 pixels to 2: two thirds and one third
  const at::Tensor row = at::tensor({0.0F, 30.0F, 90.0F}).view({1, 1, 1, 3}).expand({1, 1, 3, 3});
  const at::Tensor output = applied(third, row).input();
  EXPECT_NEAR(output[0][0][0][0].item<double>(), 10, 1e-4);
  EXPECT_NEAR(output[0][0][1][1].item<double>(), 70, 1e-4);
}

TEST(Resize, BilinearIsLibTorchs) {
  const at::Tensor images = bytes(2, 3, 7, 7).to(at::kFloat);
  for (const std::int64_t size : {1, 5, 14, 16}) {
    const Instance part =
        make("transform", "resize", {{"size", whole(size)}, {"mode", std::string("bilinear")}});
    const at::Tensor expected =
        at::upsample_bilinear2d(images, {size, size}, /*align_corners=*/false);
    EXPECT_TRUE(at::allclose(applied(part, images).input(), expected, 1e-4, 1e-3)) << size;
  }
}

TEST(Resize, BytesStayBytesAndAreRounded) {
  const at::Tensor images = bytes(4, 3, 8, 8);
  const Instance part = make("transform", "resize", {{"size", whole(6)}});
  const at::Tensor output = applied(part, images).input();
  EXPECT_EQ(output.scalar_type(), at::kByte);
  const at::Tensor exact = applied(part, images.to(at::kFloat)).input();
  EXPECT_LE((output.to(at::kFloat) - exact).abs().max().item<double>(), 0.5001);
}

TEST(Resize, TheShorterSideGetsTheSize) {
  const Instance part = make("transform", "resize", {{"size", whole(4)}});
  EXPECT_EQ(part.as<Transform>().setup(spec_of({3, 8, 12})).inputs.at(0).shape,
            (std::vector<std::int64_t>{3, 4, 6}));
  EXPECT_EQ(applied(part, bytes(2, 3, 8, 12)).input().sizes().vec(),
            (std::vector<std::int64_t>{2, 3, 4, 6}));
}

TEST(Resize, FollowsItsScheduleAndMasksStayWhole) {
  const Instance part = make("transform", "resize", {{"size", whole(8)}});
  part.find("transform.size").set(4);
  Batch batch = batch_of(bytes(2, 1, 8, 8), numbers(2));
  batch.targets = {{at::randint(0, 5, {2, 1, 8, 8}, at::kLong), &kMask}};
  const at::Tensor masks = batch.target();
  part.as<Transform>().apply(batch, kStream);
  EXPECT_EQ(batch.input().size(3), 4);
  EXPECT_TRUE(at::equal(batch.target(), masks.slice(2, 1, 8, 2).slice(3, 1, 8, 2)));
}

TEST(Cutout, CoversASquareAroundTheDrawnPlace) {
  const Instance part = make("transform", "cutout", {{"size", whole(4)}, {"fill", 0.0}});
  part.as<Transform>().setup(spec_of({1, 10, 12}));
  const at::Tensor output = applied(part, at::ones({60, 1, 10, 12}, at::kByte)).input();
  for (std::int64_t i = 0; i < 60; ++i) {
    Draws draws = kStream.item(2, i);
    static_cast<void>(draws.uniform());
    const std::int64_t top = draws.below(10) - std::int64_t{2},
                       left = draws.below(12) - std::int64_t{2};
    at::Tensor expected = at::ones({1, 10, 12}, at::kByte);
    for (std::int64_t y = top; y < top + 4; ++y) {
      for (std::int64_t x = left; x < left + 4; ++x) {
        if (y >= 0 && y < 10 && x >= 0 && x < 12) expected[0][y][x] = 0;
      }
    }
    EXPECT_TRUE(at::equal(output[i], expected)) << i;
  }
}

TEST(Cutout, FillsWithTheMeanAtItsPlace) {
  const Instance part = make("transform", "cutout", {{"size", whole(40)}});
  part.as<Transform>().setup(spec_of({2, 5, 5}, {99.6, 10}, {1, 1}));
  const at::Tensor before = applied(part, bytes(1, 2, 5, 5)).input();
  EXPECT_EQ(before[0][0][2][2].item<int>(), 100);
  EXPECT_EQ(before[0][1][0][4].item<int>(), 10);
  part.as<Transform>().setup(spec_of({2, 5, 5}, {0, 0}, {1, 1}));  // after normalize
  EXPECT_EQ(applied(part, bytes(1, 2, 5, 5).to(at::kFloat)).input().abs().max().item<double>(), 0);
}

TEST(Cutout, WithoutAMeanAsksForAColour) {
  const Instance part = make("transform", "cutout");
  EXPECT_EQ(error_of([&] {
              part.as<Transform>().setup(spec_of({3, 5, 5}));
            }),
            "transform/cutout: the data state a mean for 0 channels, expected 3; give fill = 0");
}

}  // namespace
}  // namespace paribus::test
