// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include <set>

#include "data.h"
#include "pictures.h"
#include "tar.h"

namespace paribus::test {
namespace {

using Params = std::map<std::string, Value>;

Instance opened(const fs::path& dir, Params params = {}) {
  params["dir"] = dir.string();
  if (!params.contains("size")) params["size"] = std::int64_t{8};
  Instance part = make("dataset", "image_folder", params);
  part.as<Dataset>().open({});
  return part;
}
std::string opening(const fs::path& dir, const Params& params = {}) {
  return error_of([&] { opened(dir, params); });
}

Batch fetched(const Instance& part, Split split, std::vector<std::int64_t> items) {
  Batch batch;
  part.as<Dataset>().fetch(split, items, batch);
  return batch;
}

void write_classes(const Folder& folder, const std::string& below, int items) {
  for (int i = 0; i < items; ++i) {
    folder.write(below + "bees/" + std::to_string(i) + ".png",
                 png(8, 8 + static_cast<unsigned>(i)));
    folder.write(below + "ants/" + std::to_string(i) + ".JPG",
                 jpeg(16, 16 + static_cast<unsigned>(i)));
  }
}

TEST(ImageFolder, ReadsSplitsAndClassesFromFolders) {
  const Folder folder;
  write_classes(folder, "train/", 3);
  write_classes(folder, "val/", 2);
  write_classes(folder, "test/", 4);  // there is a val: not looked at
  folder.write("train/ants/readme.txt", "no picture");
  const Instance part = opened(folder.path());
  const DataSpec spec = part.as<Dataset>().spec();
  EXPECT_EQ(spec.train_items, 6);
  EXPECT_EQ(spec.valid_items, 4);
  EXPECT_EQ(spec.class_names, (std::vector<std::string>{"ants", "bees"}));
  EXPECT_EQ(spec.inputs.at(0).shape, (std::vector<std::int64_t>{3, 8, 8}));
  ASSERT_EQ(spec.mean.size(), 3U);
  EXPECT_NEAR(spec.mean[0], 127.5, 3);
  EXPECT_NEAR(spec.mean[2], 36, 2);
  EXPECT_TRUE(at::equal(fetched(part, Split::train, {0, 1, 2, 3, 4, 5}).target(),
                        at::tensor({0, 0, 0, 1, 1, 1}, at::kLong)));
}

TEST(ImageFolder, AnArchiveIsItsFolder) {
  const Folder folder;
  write_classes(folder, "train/", 3);
  write_classes(folder, "val/", 2);
  std::string tar;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    tar += tar_entry("top/" + fs::relative(entry.path(), folder.path()).string(), bytes);
  }
  const Folder other;
  const Instance packed = opened(other.write("set.tar.gz", gzipped(tar + kTarEnd)));
  EXPECT_EQ(packed.as<Dataset>().fingerprint(), opened(folder.path()).as<Dataset>().fingerprint());
}

TEST(ImageFolder, DrawsAPartOfEachClassWhereThereAreNoSplits) {
  const Folder folder;
  write_classes(folder, "", 10);
  const auto fingerprint = [&](std::int64_t seed) {
    const Instance part = opened(folder.path(), {{"valid", 0.3}, {"seed", seed}});
    const DataSpec spec = part.as<Dataset>().spec();
    EXPECT_EQ(spec.train_items, 14);
    EXPECT_EQ(spec.valid_items, 6);
    const Batch batch = fetched(part, Split::valid, {0, 1, 2, 3, 4, 5});
    EXPECT_TRUE(at::equal(at::bincount(batch.target()), at::tensor({3, 3}, at::kLong)));
    return part.as<Dataset>().fingerprint();
  };
  const std::uint64_t first = fingerprint(0);
  EXPECT_EQ(first, fingerprint(0));
  EXPECT_NE(first, fingerprint(1));
}

TEST(ImageFolder, CropsTheMiddleOrSquishes) {
  const Folder folder;
  for (const std::string name : {"a/1", "a/2", "b/1", "b/2"})
    folder.write(name + ".png", png(80, 40));
  const auto red = [&](const std::string& fit) {
    const Instance part = opened(folder.path(), {{"fit", fit}, {"size", std::int64_t{20}}});
    return fetched(part, Split::train, {0}).input()[0][0][10];
  };
  const at::Tensor crop = red("crop"), squish = red("squish");
  EXPECT_NEAR(crop[0].item<int>(), 255 * 20.5 / 79, 2) << "a quarter of the width is cut off";
  EXPECT_NEAR(crop[19].item<int>(), 255 * 58.5 / 79, 2);
  EXPECT_NEAR(squish[0].item<int>(), 255 * 1.5 / 79, 2);
  EXPECT_NEAR(squish[19].item<int>(), 255 * 77.5 / 79, 2);
}

TEST(ImageFolder, EveryPixelIsFilledAtEverySize) {
  const Folder folder;
  for (const std::string name : {"a/1", "a/2", "b/1", "b/2"})
    folder.write(name + ".png", png(64, 64));
  for (std::int64_t size = 1; size <= 100; ++size) {
    const Instance part = opened(folder.path(), {{"size", size}});
    const at::Tensor blue = fetched(part, Split::train, {0}).input()[0][2];  // 36 everywhere
    EXPECT_TRUE(blue.eq(36).all().item<bool>()) << size;
  }
}

TEST(ImageFolder, ScaledDecodingShowsTheSamePicture) {
  const Folder folder;
  for (const std::string name : {"a/1", "a/2", "b/1", "b/2"})
    folder.write(name + ".jpg", jpeg(400, 300));
  const Instance large = opened(folder.path(), {{"size", std::int64_t{300}}});
  const Instance small = opened(folder.path(), {{"size", std::int64_t{30}}});  // decoded at 1/8
  const at::Tensor means = fetched(large, Split::train, {0})
                               .input()[0]
                               .to(at::kFloat)
                               .view({3, 30, 10, 30, 10})
                               .mean({2, 4});
  const at::Tensor scaled = fetched(small, Split::train, {0}).input()[0].to(at::kFloat);
  EXPECT_LE((means - scaled).abs().max().item<float>(), 6);
}

TEST(ImageFolder, BrokenPicturesAreNamed) {
  const Folder folder;
  write_classes(folder, "", 3);
  const std::string whole = jpeg(64, 64);
  const std::string file = folder.write("ants/x.jpg", whole.substr(0, whole.size() * 8 / 10));
  EXPECT_EQ(opening(folder.path()), "dataset/image_folder: " + file +
                                        ": not a good JPEG image: Premature end of JPEG file");
  folder.write("ants/x.jpg", bomb(40000));
  EXPECT_EQ(opening(folder.path()),
            "dataset/image_folder: " + file +
                ": not a good PNG image: got 40000 x 40000 pixels, expected at most 100000000");
  folder.write("ants/x.jpg", png(30, 30).substr(0, 70));
  EXPECT_TEXT(opening(folder.path()), file + ": not a good PNG image");
  folder.write("ants/x.jpg", "");
  EXPECT_TEXT(opening(folder.path()), file + ": not a good JPEG image");
}

TEST(ImageFolder, ABadProfileIsNoBadPicture) {
  const Folder folder, other;
  write_classes(folder, "", 2), write_classes(other, "", 2);
  const std::string file = folder.write("ants/x.png", png(8, 8));
  other.write("ants/x.png", with_bad_profile(png(8, 8)));
  EXPECT_EQ(opened(other.path()).as<Dataset>().fingerprint(),
            opened(folder.path()).as<Dataset>().fingerprint());
  folder.write("ants/x.png", with_bad_profile(with_bad_pixels(png(8, 8))));
  EXPECT_EQ(opening(folder.path()),
            "dataset/image_folder: " + file + ": not a good PNG image: IDAT: incorrect data check");
}

TEST(ImageFolder, LinksStandForWhatTheyLeadTo) {
  const Folder raw, folder, links;
  for (const Folder* to : {&raw, &folder}) {
    write_classes(*to, "train/", 2);
    write_classes(*to, "valid/", 2);
  }
  fs::create_directories(links.path() / "train");
  fs::create_directories(links.path() / "valid" / "ants");
  fs::create_directory_symlink(raw.path() / "train/ants", links.path() / "train/ants");
  fs::create_directory_symlink(raw.path() / "train/bees", links.path() / "train/bees");
  fs::create_directory_symlink(raw.path() / "valid/bees", links.path() / "valid/bees");
  for (const std::string name : {"0.JPG", "1.JPG"}) {  // into the other split
    fs::create_symlink(links.path() / "train/ants" / name, links.path() / "valid/ants" / name);
  }
  EXPECT_EQ(opened(links.path()).as<Dataset>().fingerprint(),
            opened(folder.path()).as<Dataset>().fingerprint());
  fs::create_directory_symlink(links.path(), links.path() / "train" / "loop");
  EXPECT_EQ(opening(links.path()),
            "dataset/image_folder: " + (links.path() / "train" / "loop").string() +
                ": is a link to a folder that holds it");
}

TEST(ImageFolder, FoldersWithoutWhatIsNeededAreErrors) {
  const Folder folder;
  const std::string top = folder.path().string();
  EXPECT_EQ(opening(folder.path()),
            "dataset/image_folder: " + top +
                ": no images found, expected CLASS/*.jpg or train/CLASS/*.jpg");
  EXPECT_TEXT(opening(folder.path() / "gone"), "gone");
  folder.write("1.jpg", jpeg(8, 8));
  EXPECT_TEXT(opening(folder.path()), "no images found");
  folder.write("ants/1.jpg", jpeg(8, 8));
  EXPECT_EQ(opening(folder.path()),
            "dataset/image_folder: " + top +
                ": all images are of one class, 'ants', expected a folder for each of several");
  folder.write("bees/1.jpg", jpeg(8, 8));
  EXPECT_TEXT(opening(folder.path()), "class 'ants' has one image, expected at least 2");
  folder.write("train/ants/1.jpg", jpeg(8, 8));
  folder.write("train/bees/1.jpg", jpeg(8, 8));
  folder.write("valid/bees/1.jpg", jpeg(8, 8));
  EXPECT_TEXT(opening(folder.path()),
              "class 'ants' has 1 images for training and 0 for validation, expected some of both");
  EXPECT_EQ(error_of([] { make("dataset", "image_folder").as<Dataset>().open({}); }),
            "dataset/image_folder: no folder is given; set dir");
}

TEST(ImageFolder, DamagedPicturesNeverCrash) {
  const Folder folder;
  write_classes(folder, "", 2);
  std::mt19937 random(7);
  int good = 0;
  for (int i = 0; i < 80; ++i) {
    folder.write("ants/0.JPG", damaged(i % 2 == 0 ? jpeg(24, 17) : png(24, 17), random));
    good += reads([&] { opened(folder.path()); }) ? 1 : 0;
  }
  EXPECT_GT(good, 5);
  EXPECT_LT(good, 76);
}

TEST(ImageFolder, ReadsAntsAndBees) {
  REAL_DATA(folder, "hymenoptera");
  const Instance part = opened(folder / "hymenoptera-256.tar.gz", {{"size", std::int64_t{64}}});
  const DataSpec spec = part.as<Dataset>().spec();
  EXPECT_EQ(spec.class_names, (std::vector<std::string>{"ants", "bees"}));
  EXPECT_EQ(spec.train_items, 244);
  EXPECT_EQ(spec.valid_items, 153);
}

}  // namespace
}  // namespace paribus::test
