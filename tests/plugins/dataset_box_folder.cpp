// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "data.h"
#include "pictures.h"
#include "tar.h"

namespace paribus::test {
namespace {

using Params = std::map<std::string, Value>;

constexpr unsigned kWidth = 40, kHeight = 20;

std::string object(const std::string& name, int left, int top, int right, int bottom) {
  const auto edge = [](const char* tag, int value) {
    return std::string("<") + tag + ">" + std::to_string(value) + "</" + tag + ">";
  };
  return "<object><name>" + name + "</name><bndbox>" + edge("xmin", left) + edge("ymin", top) +
         edge("xmax", right) + edge("ymax", bottom) + "</bndbox></object>\n";
}

std::string annotation(const std::string& objects, unsigned width = kWidth) {
  return "<?xml version=\"1.0\"?>\n<annotation>\n<filename>../../etc/passwd</filename>\n"
         "<size><width>" +
         std::to_string(width) + "</width><height>20</height></size>\n" + objects +
         "</annotation>\n";
}

/// Pictures 0 to 3: a cat in each, in odd ones a dog as well, in the last two cats.
void write_set(const Folder& folder, const std::string& above = "") {
  for (int i = 0; i < 4; ++i) {
    const std::string name = std::to_string(i);
    std::string objects = object("cat", 1 + i, 1, 10 + i, 10);
    if (i % 2 == 1) objects += object("dog", 21, 11, 40, 20);
    if (i == 3) objects += object("cat", 5, 5, 6, 6);
    folder.write(above + "JPEGImages/" + name + (i == 0 ? ".png" : ".jpg"),
                 i == 0 ? png(kWidth, kHeight) : jpeg(kWidth, kHeight));
    folder.write(above + "Annotations/" + name + ".xml", annotation(objects));
  }
}
void write_lists(const Folder& folder, const std::string& train, const std::string& val) {
  folder.write("ImageSets/Main/train.txt", train);
  folder.write("ImageSets/Main/val.txt", val);
}

Instance opened(const fs::path& dir, Params params = {}) {
  params["dir"] = dir.string();
  if (!params.contains("size")) {
    params["height"] = std::int64_t{kHeight};
    params["width"] = std::int64_t{kWidth};
  }
  Instance part = make("dataset", "box_folder", params);
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

TEST(BoxFolder, ReadsBoxesOfPascalsForm) {
  const Folder folder;
  write_set(folder);
  write_lists(folder, "1\n3\n", "0\r\n2\n");
  const Instance part = opened(folder.path());
  const DataSpec spec = part.as<Dataset>().spec();
  EXPECT_EQ(spec.train_items, 2);
  EXPECT_EQ(spec.valid_items, 2);
  EXPECT_EQ(spec.class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(spec.targets.at(0).type->name, "boxes");
  EXPECT_EQ(spec.targets.at(0).shape, (std::vector<std::int64_t>{3, 5}));
  // Pixels count from 1 and the last one is of the box: 2 to 11 are the edges 1 and 11.
  const at::Tensor first = fetched(part, Split::train, {0}).target()[0];
  const at::Tensor expected = at::tensor({2.0 * 1 / 40 - 1, -1.0, 2.0 * 11 / 40 - 1, 0.0, 0.0,  //
                                          0.0, 0.0, 1.0, 1.0, 1.0,                              //
                                          0.0, 0.0, 0.0, 0.0, -1.0},
                                         at::kFloat)
                                  .view({3, 5});
  EXPECT_TRUE(at::allclose(first, expected)) << first;
}

TEST(BoxFolder, APointIsTheMiddleOfTheOnlyBoxOfItsClass) {
  const Folder folder;
  write_set(folder);
  const Instance part = opened(folder.path(), {{"point_of", std::string("cat")}, {"valid", 0.3}});
  const DataSpec spec = part.as<Dataset>().spec();
  EXPECT_EQ(spec.train_items + spec.valid_items, 3);  // the last has two
  EXPECT_EQ(spec.targets.at(0).type->name, "points");
  EXPECT_TRUE(spec.targets.at(0).type->is(kRegression));
  EXPECT_EQ(spec.targets.at(0).shape, (std::vector<std::int64_t>{1, 2}));
  for (const Split split : {Split::train, Split::valid}) {
    const std::int64_t count = split == Split::train ? spec.train_items : spec.valid_items;
    for (std::int64_t i = 0; i < count; ++i) {
      const at::Tensor point = fetched(part, split, {i}).target()[0][0];
      EXPECT_FLOAT_EQ(point[1].item<float>(), -0.5F);
      EXPECT_LT(std::abs(point[0].item<double>() * 20 + 15 - 1), 1.01);
    }
  }
}

TEST(BoxFolder, WhatTheCropCutsOffIsCutOffTheBoxes) {
  const Folder folder;
  write_set(folder);
  write_lists(folder, "1\n", "2\n");
  // The middle 20 x 20 of 40 x 20: the cat ends at 11, one pixel within; the dog begins in the
  // middle.
  const Instance part = opened(folder.path(), {{"size", std::int64_t{20}}});
  const at::Tensor boxes = fetched(part, Split::train, {0}).target()[0];
  EXPECT_TRUE(at::allclose(
      boxes.slice(0, 0, 2),
      at::tensor({-1.0, -1.0, -0.9, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0}, at::kFloat).view({2, 5})))
      << boxes;
  // The third picture's ends at 12; squeezed, all of it is there.
  const Instance squeezed =
      opened(folder.path(), {{"size", std::int64_t{20}}, {"fit", std::string("squish")}});
  const at::Tensor whole = fetched(squeezed, Split::valid, {0}).target()[0][0];
  EXPECT_FLOAT_EQ(whole[0].item<float>(), 2.0F * 2 / 40 - 1);
}

TEST(BoxFolder, ATarArchiveIsTheFolder) {
  const Folder folder;
  write_set(folder, "set/VOC/");
  std::vector<std::pair<std::string, std::string>> files;
  const auto bytes_of = [&](const std::string& name) {
    std::ifstream in(folder.path() / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  for (int i = 0; i < 4; ++i) {
    const std::string name = std::to_string(i);
    for (const std::string& file : {"set/VOC/JPEGImages/" + name + (i == 0 ? ".png" : ".jpg"),
                                    "set/VOC/Annotations/" + name + ".xml"})
      files.emplace_back(file, bytes_of(file));
  }
  std::string archive;
  for (const auto& [name, bytes] : files) archive += tar_entry(name, bytes);
  const fs::path file = folder.write("set.tar", archive + std::string(1024, '\0'));
  const Instance tarred = opened(file), plain = opened(folder.path() / "set");
  EXPECT_EQ(tarred.as<Dataset>().fingerprint(), plain.as<Dataset>().fingerprint());
}

/// What is said where the annotation of picture 1 is this.
std::string said_of(const std::string& text, const Params& params = {}) {
  const Folder folder;
  write_set(folder);
  const std::string file = folder.write("Annotations/1.xml", text);
  std::string said = opening(folder.path(), params);
  const std::size_t at = said.find(file);
  return at == std::string::npos ? said : said.replace(at, file.size(), "1.xml");
}

TEST(BoxFolder, BadAnnotationsAreErrorsWithFileAndLine) {
  const std::string good = annotation(object("cat", 1, 1, 5, 5));
  EXPECT_EQ(said_of(good.substr(0, good.size() - 20)).substr(0, 42),
            "dataset/box_folder: 1.xml:5: no good XML: ");
  EXPECT_EQ(said_of(""), "dataset/box_folder: 1.xml:1: no good XML: No document element found");
  EXPECT_EQ(said_of("<html></html>"),
            "dataset/box_folder: 1.xml:1: there is no <annotation>, expected one of Pascal VOC's "
            "form");
  EXPECT_EQ(said_of(annotation("<object><name>cat</name></object>")),
            "dataset/box_folder: 1.xml:5: the object 'cat' has no <bndbox>");
  EXPECT_EQ(said_of(annotation("<object><bndbox/></object>")),
            "dataset/box_folder: 1.xml:5: the object has no <name> of 1 to 200 letters");
  EXPECT_EQ(
      said_of(annotation("\n<object><name>cat</name><bndbox><xmin>one</xmin></bndbox></object>")),
      "dataset/box_folder: 1.xml:6: <xmin> is no number, got 'one', expected one in pixels");
  EXPECT_EQ(said_of(annotation(object("cat", 1, 1, 5, 5), 41)),
            "dataset/box_folder: 1.xml: of another size than its image, got 41 x 20, expected 40 x "
            "20");
  EXPECT_EQ(said_of(annotation(object("cat", 1, 1, 41, 5))),
            "dataset/box_folder: 1.xml:5: the box of 'cat' lies outside the image, got edges 0, 0, "
            "41, 5, expected them within 40 x 20");
}

TEST(BoxFolder, EmptyBoxesAreRefusedOrLeftOut) {
  const std::string text = annotation(object("cat", 7, 3, 7, 3) + object("dog", 1, 1, 5, 5));
  EXPECT_EQ(said_of(text),
            "dataset/box_folder: 1.xml:5: the box of 'cat' is empty, got edges 7, 3, 7, 3, "
            "expected xmin below xmax and ymin below ymax; empty = \"skip\" leaves such boxes out");
  const Folder folder;
  write_set(folder);
  write_lists(folder, "1\n", "2\n");
  folder.write("Annotations/1.xml", text);
  const Instance part = opened(folder.path(), {{"empty", std::string("skip")}});
  EXPECT_EQ(fetched(part, Split::train, {0}).target()[0][0][4].item<int>(), 1);
}

TEST(BoxFolder, NothingToFindIsAnError) {
  const Folder folder;
  write_set(folder);
  for (int i = 0; i < 4; ++i)
    folder.write("Annotations/" + std::to_string(i) + ".xml", annotation(""));
  const std::string who = "dataset/box_folder: " + folder.path().string() + ": ";
  EXPECT_EQ(opening(folder.path()), who + "no annotation holds an object, expected some");
  write_set(folder);
  EXPECT_EQ(opening(folder.path(), {{"point_of", std::string("cow")}}),
            who + "no object is of the class point_of, got 'cow', expected one of cat, dog");
  write_lists(folder, "0\n", "3\n");
  EXPECT_EQ(opening(folder.path(), {{"point_of", std::string("cat")}}),
            who +
                "1 images to train on and 0 to validate on hold exactly one 'cat', expected some "
                "of both");
}

TEST(BoxFolder, MissingFilesAreNamed) {
  const Folder folder;
  const std::string who = "dataset/box_folder: ", top = folder.path().string();
  EXPECT_EQ(opening(folder.path()),
            who + top + ": no images found, expected JPEGImages/*.jpg with Annotations/*.xml");
  write_set(folder);
  const std::string list = folder.write("ImageSets/Main/train.txt", "0\n9\n");
  EXPECT_EQ(opening(folder.path()), who + list + ": there is no image '9'");
  folder.write("ImageSets/Main/train.txt", "0\n");
  EXPECT_EQ(opening(folder.path()),
            who + top + ": there is a train.txt, but no val.txt or test.txt beside it");
  fs::remove(list);
  fs::remove(folder.path() / "Annotations/2.xml");
  EXPECT_EQ(opening(folder.path()),
            who + top +
                "/JPEGImages/2.jpg: there is no annotation for it, expected an XML file of "
                "its name");
}

TEST(BoxFolder, DamagedAnnotationsNeverCrash) {
  const Folder folder;
  write_set(folder);
  std::mt19937 random(4);
  const std::string good = annotation(object("cat", 1, 1, 5, 5) + object("dog", 3, 3, 9, 9));
  int fine = 0;
  for (int i = 0; i < 300; ++i) {
    folder.write("Annotations/1.xml", damaged(good, random));
    fine += reads([&] { opened(folder.path()); }) ? 1 : 0;
  }
  EXPECT_GT(fine, 0);
  EXPECT_LT(fine, 300);
}

TEST(BoxFolder, BloodCells) {
  REAL_DATA(folder, "bccd");
  const fs::path file = folder / "bccd.tar.gz";
  const std::string said = opening(file);
  EXPECT_NE(said.find("BloodImage_00338.xml:"), std::string::npos) << said;
  const Params params{{"height", std::int64_t{24}},
                      {"width", std::int64_t{32}},
                      {"size", std::int64_t{32}},
                      {"empty", std::string("skip")}};
  const Instance boxes = opened(file, params);
  EXPECT_EQ(boxes.as<Dataset>().spec().train_items, 205);
  EXPECT_EQ(boxes.as<Dataset>().spec().valid_items, 87);
  EXPECT_EQ(boxes.as<Dataset>().spec().class_names,
            (std::vector<std::string>{"Platelets", "RBC", "WBC"}));
  Params one = params;
  one["point_of"] = std::string("WBC");
  const DataSpec spec = opened(file, one).as<Dataset>().spec();
  EXPECT_GT(spec.train_items, 190);
  EXPECT_LT(spec.train_items, 205);
}

}  // namespace
}  // namespace paribus::test
