// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/bincount.h>

#include <numeric>

#include "data.h"
#include "pictures.h"
#include "tar.h"

namespace paribus::test {
namespace {

constexpr std::size_t kRecord = 3073;

/// A record whose red, green and blue planes hold three values.
std::string record(int label, char red, char green, char blue) {
  return static_cast<char>(label) + std::string(1024, red) + std::string(1024, green) +
         std::string(1024, blue);
}

/// Of one colour.
std::vector<std::uint8_t> filled(unsigned side, std::uint8_t red, std::uint8_t green,
                                 std::uint8_t blue) {
  std::vector<std::uint8_t> pixels;
  for (unsigned i = 0; i < side * side; ++i) pixels.insert(pixels.end(), {red, green, blue});
  return pixels;
}
std::string jpeg(unsigned side, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return test::jpeg(side, side, filled(side, red, green, blue));
}
std::string png(unsigned side, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return test::png(side, side, filled(side, red, green, blue));
}

Instance opened(const fs::path& dir) {
  Instance part = make("dataset", "cifar10", {{"dir", dir.string()}});
  part.as<Dataset>().open({});
  return part;
}

std::string opening(const fs::path& dir) {
  return error_of([&] { opened(dir); });
}

Batch fetched(const Instance& part, Split split, std::vector<std::int64_t> items) {
  Batch batch;
  part.as<Dataset>().fetch(split, items, batch);
  return batch;
}

int pixel(const Batch& batch, std::int64_t item, std::int64_t channel) {
  return batch.input()[item][channel][5][7].item<int>();
}

const std::string kTrain = record(3, 10, 20, 30) + record(9, 40, 50, 60);
const std::string kTest = record(0, 70, 80, 90);

TEST(Cifar10, ReadsThePublicArchive) {
  const Folder folder;
  const std::string top = "cifar-10-batches-bin/";
  const std::string tar =
      tar_entry(top, "", '5') + tar_entry(top + "data_batch_2.bin", record(1, 1, 2, 3)) +
      tar_entry(top + "readme.html", "hello") + tar_entry(top + "data_batch_1.bin", kTrain) +
      tar_entry(top + "test_batch.bin", kTest) + kTarEnd;
  const Instance part = make("dataset", "cifar10");
  auto& dataset = part.as<Dataset>();
  dataset.open({{"cifar-10-binary.tar.gz", folder.write("any.tar.gz", gzipped(tar))}});
  const DataSpec spec = dataset.spec();
  EXPECT_EQ(spec.train_items, 3);
  EXPECT_EQ(spec.valid_items, 1);
  EXPECT_EQ(spec.inputs.at(0).shape, (std::vector<std::int64_t>{3, 32, 32}));
  EXPECT_EQ(spec.class_names.at(9), "truck");
  const Batch batch = fetched(part, Split::train, {0, 1, 2});
  EXPECT_EQ(batch.target()[0].item<int>(), 3);
  EXPECT_EQ(batch.target()[1].item<int>(), 9);
  EXPECT_EQ(batch.target()[2].item<int>(), 1);
  EXPECT_EQ(pixel(batch, 1, 0), 40);
  EXPECT_EQ(pixel(batch, 1, 2), 60);
}

TEST(Cifar10, NeedsItsFileOnlyWithoutDir) {
  const registry::PartSchema schema = schema_of("dataset", "cifar10");
  ASSERT_EQ(schema.files.size(), 1U);
  EXPECT_EQ(schema.files[0].unless, "dir");
  const Instance part = make("dataset", "cifar10");
  EXPECT_TEXT(error_of([&] { part.as<Dataset>().open({}); }),
              "'cifar-10-binary.tar.gz' was not handed over");
}

TEST(Cifar10, ReadsAFolderOfBatches) {
  const Folder folder;
  folder.write("test_batch.bin", kTest);
  folder.write("data_batch_2.bin", record(1, 1, 2, 3));
  folder.write("data_batch_1.bin", kTrain);
  const Instance part = opened(folder.path());
  EXPECT_EQ(part.as<Dataset>().spec().train_items, 3);
  EXPECT_EQ(fetched(part, Split::train, {2}).target().item<int>(), 1);
}

TEST(Cifar10, ReadsFoldersAndArchivesOfImagesAlike) {
  const Folder folder;
  const std::map<std::string, std::string> files{{"train/truck/1.jpg", jpeg(32, 200, 100, 50)},
                                                 {"train/bird/2.png", png(32, 1, 2, 3)},
                                                 {"train/bird/10.png", png(32, 4, 5, 6)},
                                                 {"train/bird/notes.txt", "no image"},
                                                 {"test/cat/1.png", png(32, 7, 8, 9)}};
  std::string tar;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    folder.write("images/" + file->first, file->second);
    tar += tar_entry("cifar10/" + file->first, file->second);
  }
  const Instance part = opened(folder.path() / "images");
  const Batch batch = fetched(part, Split::train, {0, 1, 2});
  EXPECT_EQ(batch.target()[0].item<int>(), 2);  // by class, then by name: 10.png before 2.png
  EXPECT_EQ(pixel(batch, 0, 1), 5);
  EXPECT_EQ(pixel(batch, 1, 1), 2);
  EXPECT_EQ(batch.target()[2].item<int>(), 9);
  EXPECT_NEAR(pixel(batch, 2, 0), 200, 3);  // JPEG is lossy
  EXPECT_NEAR(pixel(batch, 2, 2), 50, 3);
  const Instance packed = opened(folder.write("images.tar.gz", gzipped(tar + kTarEnd)));
  EXPECT_EQ(packed.as<Dataset>().fingerprint(), part.as<Dataset>().fingerprint());
}

TEST(Cifar10, WrongBatchesAreErrors) {
  const Folder folder;
  folder.write("test_batch.bin", kTest);
  const std::string file = folder.write("data_batch_1.bin", kTrain.substr(0, kRecord + 5));
  EXPECT_TEXT(opening(folder.path()),
              "dataset/cifar10: " + file + ": got 3078 bytes, expected a multiple of 3073");
  folder.write("data_batch_1.bin", record(0, 1, 2, 3) + record(10, 1, 2, 3));
  EXPECT_TEXT(opening(folder.path()),
              "label at byte 3073 is out of range, got 10, expected 0 to 9");
}

TEST(Cifar10, BrokenAndWrongImagesAreNamed) {
  const Folder folder;
  folder.write("test/cat/1.png", png(32, 7, 8, 9));
  folder.write("train/cat/1.jpg", jpeg(32, 1, 2, 3));
  const std::string whole = jpeg(32, 200, 100, 50);
  const std::string file = folder.write("train/cat/2.jpg", whole.substr(0, whole.size() * 9 / 10));
  EXPECT_TEXT(opening(folder.path()), file + ": not a good JPEG image: Premature end of JPEG file");
  folder.write("train/cat/2.jpg", jpeg(33, 1, 2, 3));
  EXPECT_TEXT(opening(folder.path()), "got 33 x 33 pixels, expected 32 x 32");
  folder.write("train/cat/2.jpg", "");
  EXPECT_TEXT(opening(folder.path()), file + ": not a good JPEG image");
  folder.write("train/cat/2.jpg", png(32, 1, 2, 3).substr(0, 60));
  EXPECT_TEXT(opening(folder.path()), file + ": not a good PNG image");
  folder.write("train/cat/2.jpg", std::string((1U << 20) + 1, 'x'));
  EXPECT_TEXT(opening(folder.path()),
              file + ": too large, got 1048577 bytes, expected at most 1048576");
}

TEST(Cifar10, EmptyAndForeignFoldersAreErrors) {
  const Folder folder;
  EXPECT_TEXT(opening(folder.path()),
              "no training items found, expected data_batch_1.bin ... or train/CLASS/*.jpg");
  EXPECT_TEXT(opening(folder.path() / "gone"), "gone: can't be read (No such file or directory)");
  folder.write("train/cat/1.png", png(32, 7, 8, 9));
  EXPECT_TEXT(opening(folder.path()), "no validation items found, expected test_batch.bin");
  folder.write("train/zebra/1.png", png(32, 7, 8, 9));
  EXPECT_TEXT(opening(folder.path()), "train/zebra: 'zebra' is no class of CIFAR-10");
}

TEST(Cifar10, DamagedImagesAndArchivesNeverCrash) {
  const Folder folder;
  folder.write("test/cat/1.png", png(32, 7, 8, 9));
  const std::string tar = tar_entry("data_batch_1.bin", kTrain) +
                          tar_entry("train/cat/1.jpg", jpeg(32, 9, 8, 7)) +
                          tar_entry("test_batch.bin", kTest) + kTarEnd;
  std::mt19937 random(3);
  int good = 0;
  for (int i = 0; i < 1500; ++i) {
    folder.write("train/cat/1.png",
                 damaged(i % 2 == 0 ? png(32, 1, 2, 3) : jpeg(32, 9, 8, 7), random));
    good += reads([&] { opened(folder.path()); }) ? 1 : 0;
    if (i % 5 == 0)
      good += reads([&] { opened(folder.write("a.tar", damaged(tar, random))); }) ? 1 : 0;
  }
  EXPECT_GT(good, 0);
  EXPECT_LT(good, 1500);
}

TEST(Cifar10, RealImages) {
  REAL_DATA(folder, "cifar10");
  const Instance part = opened(folder / "cifar10-jpg.tar.gz");
  const DataSpec spec = part.as<Dataset>().spec();
  EXPECT_EQ(spec.train_items, 50000);
  EXPECT_EQ(spec.valid_items, 10000);
  std::vector<std::int64_t> items(50000);
  std::iota(items.begin(), items.end(), 0);
  const Batch batch = fetched(part, Split::train, items);
  EXPECT_EQ(at::bincount(batch.target()).min().item<int>(), 5000);
  for (std::int64_t channel = 0; channel < 3; ++channel) {  // JPEG hardly moves mean and deviation
    const at::Tensor plane = batch.input().select(1, channel).to(at::kFloat);
    EXPECT_NEAR(plane.mean().item<double>(), spec.mean.at(static_cast<std::size_t>(channel)), 0.5);
    EXPECT_NEAR(plane.std().item<double>(), spec.std.at(static_cast<std::size_t>(channel)), 0.7);
  }
}

}  // namespace
}  // namespace paribus::test
