// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "data.h"
#include "pictures.h"
#include "tar.h"

namespace paribus::test {
namespace {

using Params = std::map<std::string, Value>;

constexpr unsigned kWidth = 16, kHeight = 12;

/// Number 0 left, 1 right, and what is given in the lower half.
std::string mask(std::uint8_t below, unsigned palette = 0) {
  std::vector<std::uint8_t> numbers;
  for (unsigned y = 0; y < kHeight; ++y) {
    for (unsigned x = 0; x < kWidth; ++x) {
      const auto across = static_cast<std::uint8_t>(x < kWidth / 2 ? 0 : 1);
      numbers.push_back(y < kHeight / 2 ? across : below);
    }
  }
  return mask_png(kWidth, kHeight, numbers, palette);
}

/// Four pictures with their masks.
void write_pairs(const Folder& folder, const std::string& images, const std::string& masks) {
  for (int i = 0; i < 4; ++i) {
    const std::string name = std::to_string(i);
    folder.write(images + name + (i % 2 == 0 ? ".jpg" : ".png"),
                 i % 2 == 0 ? jpeg(kWidth, kHeight) : png(kWidth, kHeight));
    folder.write(masks + name + ".png", mask(2, i < 2 ? 0 : 3));
  }
}

Instance opened(const fs::path& dir, Params params = {}) {
  params["dir"] = dir.string();
  if (!params.contains("size")) {
    params["height"] = std::int64_t{kHeight};
    params["width"] = std::int64_t{kWidth};
  }
  Instance part = make("dataset", "mask_folder", params);
  part.as<Dataset>().open({});
  return part;
}
std::string opening(const fs::path& dir, const Params& params = {}) {
  return error_of([&] { opened(dir, params); });
}
Params voids(std::vector<std::int64_t> numbers) { return {{"void", std::move(numbers)}}; }

Batch fetched(const Instance& part, Split split, std::vector<std::int64_t> items) {
  Batch batch;
  part.as<Dataset>().fetch(split, items, batch);
  return batch;
}

TEST(MaskFolder, ReadsImagesAndMasksAsTheyAreStored) {
  const Folder folder;
  write_pairs(folder, "images/", "masks/");
  const Instance part = opened(folder.path(), {{"valid", 0.25}});
  const DataSpec spec = part.as<Dataset>().spec();
  EXPECT_EQ(spec.train_items, 3);
  EXPECT_EQ(spec.valid_items, 1);
  EXPECT_EQ(spec.classes, 3);
  EXPECT_EQ(spec.inputs.at(0).shape, (std::vector<std::int64_t>{3, kHeight, kWidth}));
  EXPECT_EQ(spec.targets.at(0).shape, (std::vector<std::int64_t>{1, kHeight, kWidth}));
  EXPECT_EQ(spec.targets.at(0).type->name, "mask");
  ASSERT_EQ(spec.mean.size(), 3U);
  EXPECT_NEAR(spec.mean[2], 36, 2);
  for (std::int64_t i = 0; i < 3; ++i) {
    const at::Tensor mask = fetched(part, Split::train, {i}).target()[0][0];
    EXPECT_TRUE(at::equal(at::bincount(mask.flatten()), at::tensor({48, 48, 96}, at::kLong)));
    EXPECT_EQ(mask[0][7].item<int>(), 0);
    EXPECT_EQ(mask[5][8].item<int>(), 1);
    EXPECT_EQ(mask[6][0].item<int>(), 2);
  }
}

TEST(MaskFolder, ABadProfileIsNoBadMask) {
  const Folder folder, other;
  write_pairs(folder, "images/", "masks/"), write_pairs(other, "images/", "masks/");
  other.write("masks/1.png", with_bad_profile(mask(2)));
  EXPECT_EQ(opened(other.path()).as<Dataset>().fingerprint(),
            opened(folder.path()).as<Dataset>().fingerprint());
  const std::string file = folder.write("masks/1.png", with_bad_pixels(mask(2)));
  EXPECT_EQ(opening(folder.path()),
            "dataset/mask_folder: " + file + ": not a good PNG image: IDAT: incorrect data check");
}

TEST(MaskFolder, LayoutsAreTheSameSet) {
  const auto fingerprint = [](const std::string& train_images, const std::string& train_masks,
                              const std::string& images, const std::string& masks) {
    const Folder folder;
    write_pairs(folder, train_images, train_masks);
    write_pairs(folder, images, masks);
    return opened(folder.path()).as<Dataset>().fingerprint();
  };
  const std::uint64_t first = fingerprint("train/", "trainannot/", "val/", "valannot/");
  EXPECT_EQ(fingerprint("train/images/", "train/masks/", "valid/images/", "valid/masks/"), first);
  EXPECT_EQ(fingerprint("train/images/", "train/labels/", "test/images/", "test/labels/"), first);
}

TEST(MaskFolder, AListHoldsOutAndCodesNameTheClasses) {
  const Folder folder;
  write_pairs(folder, "images/", "labels/");
  for (int i = 0; i < 4; ++i) {
    const fs::path labels = folder.path() / "labels";
    fs::rename(labels / (std::to_string(i) + ".png"), labels / (std::to_string(i) + "_P.png"));
  }
  folder.write("valid.txt", "1.png\r\n2.jpg\r\n");
  folder.write("codes.txt", "sky\ntree\nroad\nVoid\n");
  const Instance part = opened(folder.path(), voids({3}));
  const DataSpec spec = part.as<Dataset>().spec();
  EXPECT_EQ(spec.valid_items, 2);
  EXPECT_EQ(spec.class_names, (std::vector<std::string>{"sky", "tree", "road"}));
  EXPECT_EQ(spec.classes, 3);
  EXPECT_EQ(opened(folder.path()).as<Dataset>().spec().classes, 4);
  EXPECT_NE(opened(folder.path()).as<Dataset>().fingerprint(), part.as<Dataset>().fingerprint());
  EXPECT_EQ(opening(folder.path(), {{"list", std::string("held.txt")}}),
            "dataset/mask_folder: " + folder.path().string() + ": no file 'held.txt'");
  const std::string list = folder.write("valid.txt", "7.png\n");
  EXPECT_EQ(opening(folder.path()), "dataset/mask_folder: " + list + ": there is no image '7.png'");
  folder.write("valid.txt", "0.jpg\n1.png\n2.jpg\n3.png\n");
  EXPECT_EQ(opening(folder.path()),
            "dataset/mask_folder: " + list + ": it names 4 of 4 images, expected some and not all");
}

TEST(MaskFolder, VoidNumbersBecomeTheFirstOfThem) {
  const Folder folder;
  write_pairs(folder, "images/", "masks/");
  folder.write("masks/0.png", mask(255));
  folder.write("masks/1.png", mask(200));
  folder.write("valid.txt", "3.png\n");
  const Instance part = opened(folder.path(), voids({255, 200}));
  EXPECT_EQ(part.as<Dataset>().spec().classes, 3);
  const at::Tensor masks = fetched(part, Split::train, {0, 1, 2}).target();
  EXPECT_EQ(masks[0][0][11][0].item<int>(), 255);
  EXPECT_EQ(masks[1][0][11][0].item<int>(), 255);
  EXPECT_EQ(masks[2][0][11][0].item<int>(), 2);
}

TEST(MaskFolder, MasksFollowTheirPicturesToASize) {
  const Folder folder;
  write_pairs(folder, "images/", "masks/");
  for (const std::string fit : {"crop", "squish"}) {
    const Instance part = opened(
        folder.path(), {{"size", std::int64_t{6}}, {"fit", fit}, {"classes", std::int64_t{3}}});
    const Batch batch = fetched(part, Split::train, {0, 1, 2});
    const at::Tensor lower = batch.input().select(1, 1).gt(127);  // its green
    const at::Tensor right = batch.input().select(1, 0).gt(127);  // its red
    EXPECT_TRUE(at::equal(batch.target().select(1, 0).eq(2), lower)) << fit;
    EXPECT_TRUE(at::equal(batch.target().select(1, 0).eq(1), right.logical_and(~lower))) << fit;
  }
  // Smaller and larger, never a number that wasn't there.
  const Instance large =
      opened(folder.path(), {{"size", std::int64_t{33}}, {"classes", std::int64_t{3}}});
  const at::Tensor numbers = fetched(large, Split::train, {0}).target().flatten();
  EXPECT_EQ(at::bincount(numbers).size(0), 3);
}

TEST(MaskFolder, WhatIsWrongIsNamed) {
  const Folder folder;
  const std::string top = folder.path().string();
  const std::string who = "dataset/mask_folder: ";
  EXPECT_EQ(opening(folder.path()),
            who + top +
                ": no images found, expected images/*.jpg with masks/*.png, or train/*.jpg with "
                "trainannot/*.png and valid/*.jpg with validannot/*.png");
  EXPECT_TEXT(opening(folder.path() / "gone"), "gone");
  EXPECT_EQ(error_of([] { make("dataset", "mask_folder").as<Dataset>().open({}); }),
            who + "no folder is given; set dir");
  write_pairs(folder, "images/", "masks/");
  const std::string lonely = folder.write("images/x.jpg", jpeg(kWidth, kHeight));
  EXPECT_EQ(opening(folder.path()),
            who + lonely + ": there is no mask for it, expected a PNG of its name");
  const std::string its =
      folder.write("masks/x.png", mask_png(8, 8, std::vector<std::uint8_t>(64)));
  EXPECT_EQ(opening(folder.path()),
            who + its + ": of another size than its image, got 8 x 8, expected 16 x 12");
  folder.write("masks/x.png", png(kWidth, kHeight));
  EXPECT_EQ(opening(folder.path()),
            who + its +
                ": a mask holds class numbers, got colours of 8 bits, expected 8-bit grey or a "
                "palette");
  folder.write("masks/x.png", jpeg(kWidth, kHeight));
  EXPECT_EQ(opening(folder.path()), who + its + ": not a good PNG image: Not a PNG file");
  folder.write("masks/x.png", mask(2).substr(0, 60));
  EXPECT_EQ(opening(folder.path()), who + its + ": not a good PNG image: it ends too early");
  folder.write("masks/x.png", bomb(40000));
  EXPECT_EQ(opening(folder.path()),
            who + its + ": got 40000 x 40000 pixels, expected at most 100000000");
  folder.write("masks/x.png", mask(7));
  EXPECT_EQ(opening(folder.path()),
            who + its +
                ": it holds the number 7, but no mask holds 3; say how many classes there are by "
                "'classes' or codes.txt, or put the number in void");
  EXPECT_EQ(
      opening(folder.path(), {{"classes", std::int64_t{7}}}),
      who + its + ": no class has the number 7, expected 0 to 6; if it is none, put it in void");
  const std::string codes = folder.write("codes.txt", "sky\ntree\nroad\n");
  EXPECT_EQ(opening(folder.path(), {{"classes", std::int64_t{8}}}),
            who + codes + ": it names 3 classes, expected 8");
  const std::string twice = folder.write("images/x.png", png(kWidth, kHeight));
  EXPECT_EQ(opening(folder.path()),
            who + twice + ": two images have this name, the other is " + lonely);
}

TEST(MaskFolder, OneClassIsNoTask) {
  const Folder folder;
  for (const std::string name : {"1", "2"}) {
    folder.write("images/" + name + ".png", png(8, 8));
    folder.write("masks/" + name + ".png", mask_png(8, 8, std::vector<std::uint8_t>(64)));
  }
  const std::string start = "dataset/mask_folder: " + folder.path().string() + ": ";
  EXPECT_EQ(opening(folder.path()), start + "all masks are of one class, 0, expected several");
  EXPECT_EQ(opening(folder.path(), voids({0})),
            start + "all masks are of no class, expected several");
  fs::remove(folder.path() / "images/2.png");
  EXPECT_EQ(opening(folder.path()), start + "one image was found, expected at least 2");
}

TEST(MaskFolder, DamagedMasksNeverCrash) {
  const Folder folder;
  write_pairs(folder, "images/", "masks/");
  std::mt19937 random(5);
  int good = 0;
  for (int i = 0; i < 80; ++i) {
    folder.write("masks/0.png", damaged(mask(2, i % 2 == 0 ? 3 : 0), random));
    good += reads([&] { opened(folder.path(), {{"classes", std::int64_t{3}}}); }) ? 1 : 0;
  }
  EXPECT_GT(good, 5);
  EXPECT_LT(good, 76);
}

TEST(MaskFolder, ReadsCamVid) {
  REAL_DATA(folder, "camvid-240x180");
  Params params = voids({11});
  params["height"] = std::int64_t{48}, params["width"] = std::int64_t{64};
  const Instance part = opened(folder / "camvid-240x180.tar.gz", params);
  const DataSpec spec = part.as<Dataset>().spec();
  EXPECT_EQ(spec.train_items, 367);
  EXPECT_EQ(spec.valid_items, 101);
  EXPECT_EQ(spec.classes, 11);
}

}  // namespace
}  // namespace paribus::test
