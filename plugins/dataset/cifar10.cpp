// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <paribus/dataset.h>
#include <paribus/files.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>

#include "picture_files.h"
#include "pictures.h"

namespace {

namespace fs = std::filesystem;

const std::string kPart = "dataset/cifar10";
constexpr const char* kArchive = "cifar-10-binary.tar.gz";
constexpr std::size_t kSide = 32;
constexpr std::size_t kPixels = 3 * kSide * kSide;
constexpr std::size_t kRecord = 1 + kPixels;  // label, then red, green and blue planes
constexpr std::size_t kMaxImageBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxItems = 200'000;

const std::vector<std::string> kClasses{"airplane", "automobile", "bird",  "cat",  "deer",
                                        "dog",      "frog",       "horse", "ship", "truck"};

/// One split as it is being read.
struct Items {
  std::vector<std::uint8_t> pixels, labels;
  bool is_sorted = false;  // as images in folders are
};

struct Splits {
  Items train, valid;
};

/// An image file that isn't decoded yet.
struct ImageFile {
  std::size_t label;
  std::string name;   // for order and messages
  std::string bytes;  // of the file; empty: they are still on disk at `name`
  bool operator<(const ImageFile& other) const {
    return std::tie(label, name) < std::tie(other.label, other.name);
  }
};

[[noreturn]] void fail(const std::string& file, const std::string& problem) {
  throw paribus::Error(kPart + ": " + file + ": " + problem);
}

std::string read_bounded(const fs::path& path, std::size_t most) {
  std::error_code problem;
  const auto size = fs::file_size(path, problem);
  if (problem) fail(path.string(), "can't be read (" + problem.message() + ")");
  if (size > most)
    fail(path.string(), "too large, got " + std::to_string(size) + " bytes, expected at most " +
                            std::to_string(most));
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size)))
    fail(path.string(), "can't be read");
  return bytes;
}

// The public binary form: records of 3073 bytes.

void add_records(Items& items, const std::string& file, const std::string& bytes) {
  if (bytes.empty() || bytes.size() % kRecord != 0) {
    fail(file, "got " + std::to_string(bytes.size()) + " bytes, expected a multiple of " +
                   std::to_string(kRecord));
  }
  if (items.labels.size() + bytes.size() / kRecord > kMaxItems)
    fail(file, "more than " + std::to_string(kMaxItems) + " items");
  for (std::size_t at = 0; at < bytes.size(); at += kRecord) {
    const auto label = static_cast<std::uint8_t>(bytes[at]);
    if (label >= kClasses.size()) {
      fail(file, "label at byte " + std::to_string(at) + " is out of range, got " +
                     std::to_string(label) + ", expected 0 to 9");
    }
    items.labels.push_back(label);
    items.pixels.insert(items.pixels.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                        bytes.begin() + static_cast<std::ptrdiff_t>(at + kRecord));
  }
}

/// By name: data_batch_1.bin to data_batch_5.bin and test_batch.bin.
Items* split_of_batch(Splits& splits, const std::string& name) {
  if (!name.ends_with(".bin")) return nullptr;
  if (name.starts_with("data_batch_")) return &splits.train;
  return name == "test_batch.bin" ? &splits.valid : nullptr;
}

// Image files.

void add_image(Items& items, const ImageFile& file) {
  paribus::pictures::Picture picture;
  std::string reason;
  if (!paribus::pictures::decode(file.bytes, kSide, picture, reason)) fail(file.name, reason);
  if (picture.file_width != kSide || picture.file_height != kSide) {
    fail(file.name, "got " + std::to_string(picture.file_width) + " x " +
                        std::to_string(picture.file_height) + " pixels, expected 32 x 32");
  }
  items.is_sorted = true;
  items.labels.push_back(static_cast<std::uint8_t>(file.label));
  for (std::size_t colour = 0; colour < 3; ++colour) {
    for (std::size_t k = colour; k < kPixels; k += 3) items.pixels.push_back(picture.rgb[k]);
  }
}

std::size_t label_of(const std::string& class_name, const std::string& where) {
  const auto found = std::find(kClasses.begin(), kClasses.end(), class_name);
  if (found == kClasses.end())
    fail(where, "'" + class_name + "' is no class of CIFAR-10, expected airplane, ..., truck");
  return static_cast<std::size_t>(found - kClasses.begin());
}

/// DIR/CLASS/*.jpg, read one by one, in the order of classes and names.
void add_folder(Items& items, const fs::path& dir) {
  std::set<ImageFile> found;
  for (const auto& folder : fs::directory_iterator(dir)) {
    if (!folder.is_directory()) continue;
    const std::size_t label = label_of(folder.path().filename().string(), folder.path().string());
    for (const auto& file : fs::directory_iterator(folder.path())) {
      if (paribus::pictures::is_picture(file.path().string()))
        found.insert({label, file.path().string(), ""});
      if (found.size() > kMaxItems)
        fail(dir.string(), "more than " + std::to_string(kMaxItems) + " images");
    }
  }
  for (const ImageFile& file : found)
    add_image(items, {file.label, file.name, read_bounded(file.name, kMaxImageBytes)});
}

// Where they come from.

void from_folder(Splits& splits, const fs::path& dir) {
  std::set<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(dir)) entries.insert(entry.path());
  for (const fs::path& entry : entries) {
    Items* batch = split_of_batch(splits, entry.filename().string());
    if (batch != nullptr)
      add_records(*batch, entry.string(), read_bounded(entry, kRecord * kMaxItems));
    if (entry.filename() == "train" && fs::is_directory(entry)) add_folder(splits.train, entry);
    if (entry.filename() == "test" && fs::is_directory(entry)) add_folder(splits.valid, entry);
  }
}

/// A tar archive of batches, or of images as .../train/CLASS/NAME.jpg.
void from_archive(Splits& splits, const std::string& path) {
  std::set<std::pair<std::string, std::string>> batches;
  std::set<ImageFile> train, valid;
  paribus::read_tar(kPart, path, {}, [&](const std::string& name, std::string bytes) {
    const fs::path inside = name;
    if (split_of_batch(splits, inside.filename().string()) != nullptr)
      batches.emplace(inside.filename().string(), std::move(bytes));
    if (!paribus::pictures::is_picture(name)) return;
    const std::string split = inside.parent_path().parent_path().filename().string();
    if (split != "train" && split != "test") return;
    const std::size_t label =
        label_of(inside.parent_path().filename().string(), path + " holds " + name);
    (split == "train" ? train : valid).insert({label, path + " holds " + name, std::move(bytes)});
  });
  for (const auto& [name, bytes] : batches)
    add_records(*split_of_batch(splits, name), path + " holds " + name, bytes);
  for (const ImageFile& file : train) add_image(splits.train, file);
  for (const ImageFile& file : valid) add_image(splits.valid, file);
}

paribus::TensorDataset::Columns columns(const Items& items) {
  const auto count = static_cast<std::int64_t>(items.labels.size());
  const auto side = static_cast<std::int64_t>(kSide);
  paribus::TensorDataset::Columns result{at::empty({count, 3, side, side}, at::kByte),
                                         at::empty({count}, at::kLong)};
  std::copy(items.pixels.begin(), items.pixels.end(),
            result.input.mutable_data_ptr<std::uint8_t>());
  std::copy(items.labels.begin(), items.labels.end(),
            result.target.mutable_data_ptr<std::int64_t>());
  return result;
}

}  // namespace

/// Photographs of ten kinds of thing, 50,000 and 10,000 colour images of 32 x 32 (Krizhevsky 2009),
/// from the public archive of binary batches; or from `dir`, a folder or tar archive that holds
/// those batches or image files as train/CLASS/*.jpg and test/CLASS/*.png, taken in the order of
/// classes and names.
struct Cifar10 : paribus::TensorDataset {
  struct Params {
    std::string_view dir;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("dir", &Params::dir,
                         "folder or tar archive of batches or images; empty: the public archive")};
    }
  } params;

  static constexpr std::array<paribus::DataFile, 1> files() {
    return {paribus::DataFile{
        kArchive, "cifar10", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", "", 170052171, "dir"}};
  }

  void open(const paribus::Files& files) override {
    const std::string from =
        params.dir.empty() ? paribus::path_of(files, kPart, kArchive) : std::string(params.dir);
    Splits splits;
    try {
      if (fs::is_directory(from)) {
        from_folder(splits, from);
      } else {
        from_archive(splits, from);
      }
    } catch (const fs::filesystem_error& problem) {
      fail(from, problem.code().message());
    }
    check(splits.train, from, "training", "data_batch_1.bin ... or train/CLASS/*.jpg");
    check(splits.valid, from, "validation", "test_batch.bin or test/CLASS/*.jpg");
    train = columns(splits.train);
    valid = columns(splits.valid);
    about.inputs = {{&paribus::kImage, {}}};
    about.targets = {{&paribus::kCategory, {}}};
    about.classes = static_cast<std::int64_t>(kClasses.size());
    about.class_names = kClasses;
    about.is_sorted = splits.train.is_sorted || splits.valid.is_sorted;
    about.mean = {
        125.31, 122.95,
        113.87};  // of the public training split: D. Page, "How to train your ResNet" (2018)
    about.std = {62.99, 62.09, 66.70};
  }

 private:
  static void check(const Items& items, const std::string& from, const std::string& split,
                    const std::string& expected) {
    if (items.labels.empty()) fail(from, "no " + split + " items found, expected " + expected);
  }
};

PARIBUS_PART(Cifar10, "cifar10",
             "photographs of ten kinds of thing, 50,000 + 10,000 colour 32 x 32 (Krizhevsky 2009)")
