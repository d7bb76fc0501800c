// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <paribus/dataset.h>

#include <map>

#include "picture_files.h"
#include "pictures.h"
#include "threads.h"

namespace {

namespace pictures = paribus::pictures;
using pictures::Source;

const std::string kPart = "dataset/image_folder";

/// A class's items of each split.
struct Class {
  std::vector<const Source::Item*> train, valid;
};

}  // namespace

/// Pictures in a folder for each class: DIR/CLASS/*.jpg, of which a part of each class is drawn for
/// validation, or DIR/train/CLASS/*.jpg and DIR/valid/CLASS/*.png (else val, else test: one of
/// them). `dir` may be a tar archive of such a folder. JPEG and PNG; other files are passed over,
/// as is what a picture says of its orientation. All are decoded once, to `size` x `size` colours
/// in memory, and shared by a study's trials. Order: classes and names.
struct ImageFolder : paribus::TensorDataset {
  struct Params {
    std::string_view dir;
    int size = 224;
    std::string_view fit = "crop";
    double valid = 0.2;
    int seed = 0;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("dir", &Params::dir, "folder or tar archive"),
          paribus::field("size", &Params::size, "height and width that pictures are brought to")
              .at_least(1)
              .at_most(4096)
              .unit("px"),
          paribus::field("fit", &Params::fit,
                         "crop: the largest square in the middle; squish: all of it, out of shape")
              .one_of("crop", "squish"),
          paribus::field("valid", &Params::valid,
                         "part of each class for validation, where the folder has no splits")
              .above(0)
              .below(1),
          paribus::field("seed", &Params::seed, "of that choice")};
    }
  } params;

  void open(const paribus::Files& /*files*/) override {
    const std::string from(params.dir);
    if (from.empty()) throw paribus::Error(kPart + ": no folder is given; set dir");
    const Source source(kPart, from);
    const std::vector<Source::Item> items = source.items(pictures::is_picture);
    const std::map<std::string, Class> classes = sorted(items, source);
    std::int64_t number = 0, train_items = 0, valid_items = 0;
    for (const auto& [name, of] : classes) {
      about.class_names.push_back(name);
      train_items += static_cast<std::int64_t>(of.train.size());
      valid_items += static_cast<std::int64_t>(of.valid.size());
    }
    train = room(train_items, source), valid = room(valid_items, source);
    std::vector<Place> places;
    for (const auto& [name, of] : classes) {
      for (const Source::Item* item : of.train) places.push_back({item, &train, number});
      for (const Source::Item* item : of.valid) places.push_back({item, &valid, number});
      ++number;
    }
    for (std::int64_t next_train = 0, next_valid = 0; Place & place : places)
      place.row = place.to == &train ? next_train++ : next_valid++;
    paribus::each_in_threads(places.size(), [&](std::size_t i) { put(source, places[i]); });
    about.inputs = {{&paribus::kImage, {}}};
    about.targets = {{&paribus::kCategory, {}}};
    about.classes = number;
    about.is_sorted = true;
    pictures::state_colours(train.input, about);
  }

 private:
  /// Where an item goes.
  struct Place {
    const Source::Item* item;
    const Columns* to;
    std::int64_t number;  // of its class
    std::int64_t row = 0;
  };

  [[nodiscard]] std::map<std::string, Class> sorted(const std::vector<Source::Item>& items,
                                                    const Source& source) const {
    std::set<std::string> tops;
    for (const Source::Item& item : items)
      tops.insert(item.inside.substr(0, item.inside.find('/')));
    std::string held_out;
    for (const char* name : {"test", "val", "valid"}) {  // the last that is there
      if (tops.contains(name)) held_out = name;
    }
    const bool splits = tops.contains("train") && !held_out.empty();
    std::map<std::string, Class> classes;
    for (const Source::Item& item : items) {
      const std::string top = item.inside.substr(0, item.inside.find('/'));
      const bool is_valid = top == held_out;
      if (splits && !is_valid && top != "train") continue;
      const std::size_t begin = splits ? item.inside.find('/') + 1 : 0;
      const std::size_t end = item.inside.find('/', begin);
      if (end == std::string::npos) continue;  // in no class's folder
      Class& of = classes[item.inside.substr(begin, end - begin)];
      (splits && is_valid ? of.valid : of.train).push_back(&item);
    }
    if (classes.empty()) source.fail("no images found, expected CLASS/*.jpg or train/CLASS/*.jpg");
    if (classes.size() == 1) {
      source.fail("all images are of one class, '" + classes.begin()->first +
                  "', expected a folder for each of several");
    }
    for (auto& [name, of] : classes) {
      if (!splits) draw(of, name, source);
      if (of.train.empty() || of.valid.empty()) {
        source.fail("class '" + name + "' has " + std::to_string(of.train.size()) +
                    " images for training and " + std::to_string(of.valid.size()) +
                    " for validation, expected some of both");
      }
    }
    return classes;
  }

  /// Moves a part of a class to validation; what is drawn depends on the class's own files alone.
  void draw(Class& of, const std::string& name, const Source& source) const {
    if (of.train.size() < 2) source.fail("class '" + name + "' has one image, expected at least 2");
    of.valid = pictures::hold_out(of.train, params.valid, params.seed, name);
  }

  [[nodiscard]] Columns room(std::int64_t items, const Source& source) const {
    source.check_room(items, params.size, params.size, 3);
    return {at::empty({items, 3, params.size, params.size}, at::kByte),
            at::empty({items}, at::kLong)};
  }

  void put(const Source& source, const Place& place) const {
    const pictures::Picture picture = source.decoded(*place.item, params.size);
    pictures::fit(picture, params.fit == "crop", params.size, params.size,
                  place.to->input.mutable_data_ptr<std::uint8_t>() +
                      place.row * 3 * params.size * params.size);
    place.to->target.mutable_data_ptr<std::int64_t>()[place.row] = place.number;
  }
};

PARIBUS_PART(ImageFolder, "image_folder", "pictures in a folder for each class")
