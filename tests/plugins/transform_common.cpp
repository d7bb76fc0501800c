// SPDX-License-Identifier: Apache-2.0
// What all transforms of images promise: off is nothing, an item's result doesn't depend on its
// batch, what `setup` says.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>

#include <set>

#include "data.h"

namespace paribus::test {
namespace {

using Params = std::map<std::string, Value>;

Value whole(std::int64_t value) { return value; }

struct Case {
  std::string name;
  Params params;
};

at::Tensor bytes(std::int64_t items, std::int64_t channels, std::int64_t side) {
  return at::randint(0, 256, {items, channels, side, side}, at::kByte);
}

/// What a transform makes of a batch, after `setup`.
at::Tensor applied(const Case& one, const at::Tensor& images, std::vector<std::int64_t> items,
                   std::int64_t epoch = 0, Split split = Split::train, std::uint64_t seed = 5) {
  const Instance part = make("transform", one.name, one.params);
  auto& transform = part.as<Transform>();
  const DataSpec out =
      transform.setup(spec_of(images.sizes().slice(1).vec(), {100, 110, 120}, {50, 60, 70}));
  Batch batch = batch_of(images, std::move(items), split);
  batch.epoch = epoch;
  transform.apply(batch, Stream(seed, "data.transforms." + one.name));
  if (split == Split::train) {
    EXPECT_EQ(batch.input().sizes().slice(1).vec(), out.inputs.at(0).shape) << one.name;
  }
  return batch.input();
}

const std::vector<Case> kRandom{{"crop", {{"padding", whole(3)}}},
                                {"crop", {{"padding", whole(3)}, {"mode", std::string("reflect")}}},
                                {"crop", {{"padding", whole(0)}, {"size", whole(9)}}},
                                {"flip", {{"p", 0.5}}},
                                {"cutout", {{"size", whole(5)}, {"p", 0.7}}},
                                {"rotate", {{"max", 40.0}}},
                                {"zoom", {{"max", 1.5}}},
                                {"warp", {}},
                                {"affine", {}},
                                {"dihedral", {}},
                                {"erase", {}},
                                {"noise", {}}};

const std::vector<Case> kOfColours{
    {"brightness", {}}, {"contrast", {}}, {"saturation", {}}, {"hue", {}}};

std::vector<Case> all() {
  std::vector<Case> result = kRandom;
  result.insert(result.end(), kOfColours.begin(), kOfColours.end());
  return result;
}

TEST(Transforms, OffIsNothing) {
  const at::Tensor images = bytes(8, 3, 12);
  const std::vector<Case> off{{"crop", {{"padding", whole(0)}}},
                              {"flip", {{"p", 0.0}}},
                              {"cutout", {{"size", whole(0)}}},
                              {"cutout", {{"p", 0.0}}},
                              {"rotate", {{"max", 0.0}}},
                              {"zoom", {{"max", 1.0}}},
                              {"warp", {{"max", 0.0}}},
                              {"affine", {{"rotate", 0.0}, {"zoom_max", 1.0}, {"warp", 0.0}}},
                              {"affine", {{"p", 0.0}}},
                              {"dihedral", {{"p", 0.0}}},
                              {"erase", {{"p", 0.0}}},
                              {"noise", {{"sd", 0.0}}},
                              {"brightness", {{"max", 0.0}}},
                              {"contrast", {{"max", 0.0}}},
                              {"saturation", {{"p", 0.0}}},
                              {"hue", {{"max", 0.0}}},
                              {"resize", {{"size", whole(0)}}},
                              {"resize", {{"size", whole(12)}}},
                              {"resize", {{"size", whole(12)}, {"mode", std::string("bilinear")}}}};
  for (const Case& one : off) {
    for (const at::Tensor& input : {images, images.to(at::kFloat) / 3}) {
      const at::Tensor output = applied(one, input, {0, 1, 2, 3, 4, 5, 6, 7});
      EXPECT_EQ(output.scalar_type(), input.scalar_type()) << one.name;
      EXPECT_TRUE(at::equal(output, input)) << one.name;
    }
  }
}

TEST(Transforms, AnItemDoesNotDependOnItsBatch) {
  const at::Tensor images = bytes(20, 3, 12);
  std::vector<std::int64_t> items(20);
  for (std::size_t i = 0; i < 20; ++i) items[i] = static_cast<std::int64_t>(100 + 7 * i);
  for (const Case& one : all()) {
    const at::Tensor together = applied(one, images, items, 3);
    for (std::int64_t i = 19; i >= 0; i -= 3) {
      const at::Tensor alone =
          applied(one, images.narrow(0, i, 1), {items[static_cast<std::size_t>(i)]}, 3);
      EXPECT_TRUE(at::equal(alone[0], together[i])) << one.name << " item " << i;
    }
  }
}

TEST(Transforms, EpochsAndSeedsDiffer) {
  const at::Tensor images = bytes(20, 3, 12);
  std::vector<std::int64_t> items(20);
  for (std::size_t i = 0; i < 20; ++i) items[i] = static_cast<std::int64_t>(i);
  for (const Case& one : all()) {
    const at::Tensor first = applied(one, images, items, 0);
    EXPECT_TRUE(at::equal(first, applied(one, images, items, 0))) << one.name;
    EXPECT_FALSE(at::equal(first, applied(one, images, items, 1))) << one.name;
    EXPECT_FALSE(at::equal(first, applied(one, images, items, 0, Split::train, 6))) << one.name;
  }
}

// They make values that aren't whole.
const std::set<std::string> kRounded{"rotate", "zoom", "warp", "affine", "erase", "noise"};

TEST(Transforms, BytesAndFloatsTakeTheSamePlaces) {
  const at::Tensor images = bytes(10, 3, 12);
  const std::vector<std::int64_t> items{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (const Case& one : kRandom) {
    const at::Tensor floats = applied(one, images.to(at::kFloat), items);
    const at::Tensor bytes = applied(one, images, items).to(at::kFloat);
    const float off = (bytes - floats.clamp(0, 255)).abs().max().item<float>();
    EXPECT_LE(off, kRounded.contains(one.name) ? 0.5001F : 0.0F) << one.name;
  }
}

TEST(Transforms, OnlyAugmentationsAreForTrainingOnly) {
  for (const Case& one : all()) {
    const bool sized = one.params.contains("size") && one.name == "crop";
    EXPECT_EQ(make("transform", one.name, one.params).as<Transform>().training_only(), !sized)
        << one.name;
  }
  for (const std::string name : {"normalize", "resize"}) {
    EXPECT_FALSE(make("transform", name).as<Transform>().training_only()) << name;
  }
}

TEST(Transforms, DataThatHoldNoImageAreAnError) {
  DataSpec rows;
  rows.inputs = {{&kTensor, {14}}};
  for (const std::string name :
       {"crop", "flip", "resize", "rotate", "zoom", "warp", "affine", "dihedral"}) {
    const Instance part = make("transform", name);
    EXPECT_EQ(error_of([&] { part.as<Transform>().setup(rows); }),
              "transform/" + name + ": the data hold no images; remove it from the transforms");
  }
  for (const std::string name :
       {"normalize", "cutout", "erase", "noise", "brightness", "contrast", "saturation", "hue"}) {
    const Instance part = make("transform", name);
    EXPECT_EQ(error_of([&] { part.as<Transform>().setup(rows); }),
              "transform/" + name + ": the first input is of the type tensor, expected an image");
  }
}

TEST(Transforms, MasksOfAnotherSizeAreAnError) {
  DataSpec spec = spec_of({3, 8, 8});
  spec.targets = {{&kMask, {1, 8, 6}}};
  const Instance crop = make("transform", "crop");
  EXPECT_EQ(error_of([&] { crop.as<Transform>().setup(spec); }),
            "transform/crop: images and masks of an item differ in size, got 8 x 8 and 8 x 6");
}

}  // namespace
}  // namespace paribus::test
