// SPDX-License-Identifier: Apache-2.0
// mnist and fashion_mnist, and the reader of idx files behind them.
#include <ATen/ops/equal.h>

#include "data.h"
#include "paribus/files.h"
#include "registry/sha256.h"

namespace paribus::test {
namespace {

std::string word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

/// An idx file of bytes: header for `shape`, then `data`.
std::string idx(const std::vector<std::uint32_t>& shape, const std::string& data) {
  std::string bytes = word(0x800U + static_cast<std::uint32_t>(shape.size()));
  for (const std::uint32_t size : shape) bytes += word(size);
  return bytes + data;
}

const std::string kTwoImages = idx({2, 2, 3}, "abcdefghijkl");
const std::string kTwoLabels = idx({2}, std::string("\x07\x00", 2));

/// The four files of mnist, with those in `changed` in place of small good ones.
Files four_files(const Folder& folder, const std::map<std::string, std::string>& changed = {}) {
  std::map<std::string, std::string> content{
      {"train-images-idx3-ubyte.gz", gzipped(kTwoImages)},
      {"train-labels-idx1-ubyte.gz", gzipped(kTwoLabels)},
      {"t10k-images-idx3-ubyte.gz", gzipped(idx({1, 2, 3}, "ABCDEF"))},
      {"t10k-labels-idx1-ubyte.gz", gzipped(idx({1}, "\x09"))}};
  for (const auto& [name, bytes] : changed) content[name] = bytes;
  Files files;
  for (const auto& [name, bytes] : content) files[name] = folder.write(name, bytes);
  return files;
}

std::string opening(const std::map<std::string, std::string>& changed) {
  const Folder folder;
  const Instance mnist = make("dataset", "mnist");
  return error_of([&] { mnist.as<Dataset>().open(four_files(folder, changed)); });
}

TEST(IdxDataset, ReadsImagesAndLabels) {
  const Folder folder;
  for (const std::string name : {"mnist", "fashion_mnist"}) {
    const Instance part = make("dataset", name);
    auto& dataset = part.as<Dataset>();
    dataset.open(four_files(folder));
    const DataSpec spec = dataset.spec();
    EXPECT_EQ(spec.train_items, 2);
    EXPECT_EQ(spec.valid_items, 1);
    EXPECT_EQ(spec.inputs.at(0).shape, (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_TRUE(spec.inputs.at(0).type->is(kImage));
    EXPECT_TRUE(spec.targets.at(0).type->is(kCategory));
    EXPECT_EQ(spec.classes, 10);
    EXPECT_EQ(spec.class_names.size(), 10U);
    Batch batch;
    dataset.fetch(Split::train, std::vector<std::int64_t>{1, 0}, batch);
    EXPECT_EQ(batch.target()[0].item<std::int64_t>(), 0);
    EXPECT_EQ(batch.target()[1].item<std::int64_t>(), 7);
    EXPECT_EQ(batch.input()[0][0][0][0].item<int>(), 'g');
    EXPECT_EQ(batch.input()[1][0][1][2].item<int>(), 'f');
    dataset.fetch(Split::valid, std::vector<std::int64_t>{0}, batch);
    EXPECT_EQ(batch.input()[0][0][0][0].item<int>(), 'A');
  }
}

TEST(IdxDataset, TakesFilesThatAreNotCompressed) {
  const Folder folder;
  const at::Tensor plain = read_idx("test", folder.write("plain", kTwoImages), 3);
  const at::Tensor packed = read_idx("test", folder.write("packed", gzipped(kTwoImages)), 3);
  EXPECT_TRUE(at::equal(plain, packed));
}

TEST(IdxDataset, FingerprintFollowsTheBytes) {
  const Folder folder;
  const Instance one = make("dataset", "mnist"), two = make("dataset", "mnist");
  one.as<Dataset>().open(four_files(folder));
  two.as<Dataset>().open(four_files(
      folder, {{"train-images-idx3-ubyte.gz", gzipped(idx({2, 2, 3}, "abcdefghijkL"))}}));
  EXPECT_NE(one.as<Dataset>().fingerprint(), two.as<Dataset>().fingerprint());
}

TEST(IdxDataset, TruncatedFileIsAnError) {
  const std::string text = opening({{"train-images-idx3-ubyte.gz", kTwoImages.substr(0, 20)}});
  EXPECT_TEXT(text, "dataset/mnist: ");
  EXPECT_TEXT(text,
              "train-images-idx3-ubyte.gz: ends within the data, got 4 bytes, expected 12; fetch "
              "the file again");
}

TEST(IdxDataset, TruncatedGzipIsAnError) {
  const std::string whole = gzipped(kTwoImages);
  const std::string text =
      opening({{"train-images-idx3-ubyte.gz", whole.substr(0, whole.size() - 6)}});
  EXPECT_TEXT(text, "broken gzip data");
  EXPECT_TEXT(text, "it ends too early");
}

TEST(IdxDataset, WrongGzipChecksumIsAnError) {
  std::string bytes = gzipped(kTwoImages);
  bytes[bytes.size() - 8] ^= 1;
  EXPECT_TEXT(opening({{"train-images-idx3-ubyte.gz", bytes}}), "incorrect data check");
}

TEST(IdxDataset, WrongMagicIsAnError) {
  EXPECT_TEXT(
      opening({{"t10k-labels-idx1-ubyte.gz", gzipped(kTwoImages)}}),
      "not an idx file of bytes with 1 dimensions, got the magic number 2051, expected 2049");
}

TEST(IdxDataset, LabelOutOfRangeIsAnError) {
  EXPECT_TEXT(opening({{"train-labels-idx1-ubyte.gz", gzipped(idx({2}, "\x09\x0a"))}}),
              "label of item 1 is out of range, got 10, expected 0 to 9");
}

TEST(IdxDataset, CountsMustAgree) {
  EXPECT_TEXT(opening({{"train-labels-idx1-ubyte.gz", gzipped(idx({3}, "abc"))}}),
              "got 3 labels, expected 2");
}

TEST(IdxDataset, SizesThatLieAreErrors) {
  const std::string name = "train-images-idx3-ubyte.gz";
  EXPECT_TEXT(opening({{name, idx({0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "x")}}),
              "promises more than 1073741824 bytes");
  EXPECT_TEXT(opening({{name, idx({1000000, 28, 28}, "x")}}),
              "more than a file of this size holds");
  EXPECT_TEXT(opening({{name, idx({2, 0, 3}, "")}}), "dimension 1 of its header is 0");
}

TEST(IdxDataset, ABombIsNotUnpacked) {
  const std::string bomb = gzipped(kTwoImages + std::string(std::size_t{64} << 20, '\0'));
  EXPECT_TEXT(opening({{"train-images-idx3-ubyte.gz", bomb}}),
              "longer than the 12 bytes its header promises");
}

TEST(IdxDataset, MissingFilesAreErrors) {
  const Folder folder;
  const Instance mnist = make("dataset", "mnist");
  Files files = four_files(folder);
  files["t10k-labels-idx1-ubyte.gz"] = (folder.path() / "gone").string();
  EXPECT_TEXT(error_of([&] { mnist.as<Dataset>().open(files); }),
              "gone: can't be read (No such file or directory)");
  files.erase("t10k-labels-idx1-ubyte.gz");
  EXPECT_TEXT(error_of([&] { mnist.as<Dataset>().open(files); }),
              "the file 't10k-labels-idx1-ubyte.gz' was not handed over");
}

TEST(IdxDataset, DamagedFilesNeverCrash) {
  const Folder folder;
  std::mt19937 random(1);
  int good = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string bytes = damaged(i % 2 == 0 ? kTwoImages : gzipped(kTwoImages), random);
    good += reads([&] { read_idx("test", folder.write("file", bytes), 3); }) ? 1 : 0;
  }
  EXPECT_GT(good, 0);
  EXPECT_LT(good, 2000);
}

struct Known {
  std::string part, folder;
  std::vector<int> first_labels;
};

void check_real(const Known& known, const fs::path& folder) {
  const registry::PartSchema schema = schema_of("dataset", known.part);
  ASSERT_EQ(schema.files.size(), 4U);
  Files files;
  for (const auto& file : schema.files) {
    EXPECT_EQ(file.folder, known.folder);
    EXPECT_EQ(registry::sha256_of_content(folder / file.name), file.content) << file.name;
    files[file.name] = (folder / file.name).string();
  }
  const Instance part = make("dataset", known.part);
  auto& dataset = part.as<Dataset>();
  dataset.open(files);
  const DataSpec spec = dataset.spec();
  EXPECT_EQ(spec.train_items, 60000);
  EXPECT_EQ(spec.valid_items, 10000);
  EXPECT_EQ(spec.inputs.at(0).shape, (std::vector<std::int64_t>{1, 28, 28}));
  std::vector<std::int64_t> items(60000);
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::int64_t>(i);
  Batch batch;
  dataset.fetch(Split::train, items, batch);
  for (std::size_t i = 0; i < known.first_labels.size(); ++i) {
    EXPECT_EQ(batch.target()[static_cast<std::int64_t>(i)].item<int>(), known.first_labels[i]) << i;
  }
  const at::Tensor pixels = batch.input().to(at::kDouble);
  EXPECT_NEAR(pixels.mean().item<double>(), spec.mean.at(0), 1e-6);
  EXPECT_NEAR(pixels.std(/*unbiased=*/false).item<double>(), spec.std.at(0), 1e-6);
}

TEST(IdxDataset, RealMnist) {
  REAL_DATA(folder, "mnist");
  check_real({"mnist", "mnist", {5, 0, 4, 1, 9, 2, 1, 3, 1, 4}}, folder);
}

TEST(IdxDataset, RealFashionMnist) {
  REAL_DATA(folder, "fashion-mnist");
  check_real({"fashion_mnist", "fashion-mnist", {9, 0, 0, 3, 0, 2, 7, 2, 5, 5}}, folder);
}

}  // namespace
}  // namespace paribus::test
