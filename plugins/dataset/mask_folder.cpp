// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <paribus/dataset.h>

#include <map>
#include <sstream>

#include "picture_files.h"
#include "pictures.h"
#include "threads.h"

namespace {

namespace fs = std::filesystem;
namespace pictures = paribus::pictures;
using pictures::Source;

const std::string kPart = "dataset/mask_folder";

/// A picture and its mask.
struct Pair {
  const Source::Item* picture = nullptr;
  const Source::Item* mask = nullptr;
};

/// Where a file belongs, by its path below the top.
struct Role {
  std::string split;  // empty: there are none
  std::string stem;   // the path below the folder of its kind, without the ending
  bool mask = false;
};

std::optional<Role> role_of(const std::string& inside) {
  static const std::set<std::string> kSplits{"train", "valid", "val", "test"};
  std::string rest = fs::path(inside).replace_extension().generic_string();
  const auto take = [&rest] {
    const std::size_t end = rest.find('/');
    std::string first = end == std::string::npos ? "" : rest.substr(0, end);
    if (!first.empty()) rest.erase(0, end + 1);
    return first;
  };
  Role role;
  std::string first = take();
  if (first.ends_with("annot") && kSplits.contains(first.substr(0, first.size() - 5)))
    return Role{first.substr(0, first.size() - 5), rest, true};
  if (kSplits.contains(first)) {
    role.split = first;
    const std::string whole = rest;
    first = take();
    if (first != "images" && first != "masks" && first != "labels")
      return Role{role.split, whole, false};
  }
  role.stem = rest;
  role.mask = first == "masks" || first == "labels";
  if (!role.mask && first != "images") return std::nullopt;
  return role;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// What is decoded, as all data sets in memory hold it.
struct Held : paribus::TensorDataset {
  void open(const paribus::Files& /*files*/) override {}
  using TensorDataset::about, TensorDataset::train, TensorDataset::valid;
};

}  // namespace

/// Pictures and the class of each of their pixels: DIR/images/NAME.jpg with DIR/masks/NAME.png (or
/// DIR/labels, or NAME_P.png, as fastai's CamVid), of which those that DIR/valid.txt names are held
/// out, else a part; or the same below DIR/train and DIR/valid (else val, else test: one of them);
/// or DIR/train/NAME.jpg with DIR/trainannot/NAME.png, as SegNet's CamVid. `dir` may be a tar
/// archive of such a folder.
///
/// A mask is a PNG of 8-bit grey or with a palette, as large as its picture; the stored number is
/// the class. DIR/codes.txt names the classes, one a line. Pictures are scaled by areas, masks take
/// the pixel in the middle. All are decoded once and shared by a study's trials. Masks without a
/// picture are passed over. Order: names.
struct MaskFolder : paribus::Dataset {
  struct Params {
    std::string_view dir;
    int size = 224;
    std::optional<int> height;
    std::optional<int> width;
    std::string_view fit = "crop";
    std::optional<int> classes;
    std::vector<std::int64_t> void_numbers;
    std::string_view list = "valid.txt";
    double valid = 0.2;
    int seed = 0;

    static constexpr auto fields() {
      return std::tuple{
          paribus::field("dir", &Params::dir, "folder or tar archive"),
          paribus::field("size", &Params::size, "height and width that pictures are brought to")
              .at_least(1)
              .at_most(4096)
              .unit("px"),
          paribus::field("height", &Params::height, "not given: size")
              .at_least(1)
              .at_most(4096)
              .unit("px"),
          paribus::field("width", &Params::width, "not given: size")
              .at_least(1)
              .at_most(4096)
              .unit("px"),
          paribus::field("fit", &Params::fit,
                         "crop: the largest part in the middle with these sides' ratio; squish: "
                         "all of it, out of shape")
              .one_of("crop", "squish"),
          paribus::field(
              "classes", &Params::classes,
              "how many; not given: as codes.txt says, else one more than the greatest number")
              .at_least(2)
              .at_most(256),
          paribus::field("void", &Params::void_numbers,
                         "numbers that are no class; all become the first of them, for the "
                         "'ignore' of losses and metrics")
              .at_least(0)
              .at_most(255),
          paribus::field("list", &Params::list,
                         "file in dir that names the pictures held out, where it has no splits"),
          paribus::field("valid", &Params::valid,
                         "part of the pictures for validation, where there is no list either")
              .above(0)
              .below(1),
          paribus::field("seed", &Params::seed, "of that choice")};
    }
  } params;

  void open(const paribus::Files& /*files*/) override {
    if (params.dir.empty()) throw paribus::Error(kPart + ": no folder is given; set dir");
    const Source source(kPart, std::string(params.dir));
    const std::vector<Source::Item> items = source.items([&](const std::string& name) {
      const std::string file = fs::path(name).filename().string();
      return pictures::is_picture(name) || file == "codes.txt" || file == params.list;
    });
    Splits splits = sorted(items, source);
    state_names(items, source);
    const std::int64_t train = count(splits.train), valid = count(splits.valid);
    source.check_room(train + valid, height(), width(), 4);
    held_.train = room(train), held_.valid = room(valid);
    std::vector<Numbers> numbers(splits.train.size() + splits.valid.size());
    paribus::each_in_threads(numbers.size(), [&](std::size_t i) {
      const bool of_train = i < splits.train.size();
      const std::size_t row = of_train ? i : i - splits.train.size();
      numbers[i] = put(source, of_train ? splits.train[row] : splits.valid[row],
                       of_train ? held_.train : held_.valid, static_cast<std::int64_t>(row));
    });
    splits.train.insert(splits.train.end(), splits.valid.begin(), splits.valid.end());
    state_classes(source, splits.train, numbers);
    held_.about.inputs = {{&paribus::kImage, {}}};
    held_.about.targets = {{&paribus::kMask, {}}};
    held_.about.is_sorted = true;  // neighbours are of one scene
    pictures::state_colours(held_.train.input, held_.about);
  }

  [[nodiscard]] paribus::DataSpec spec() const override { return held_.spec(); }
  void fetch(paribus::Split split, std::span<const std::int64_t> items,
             paribus::Batch& batch) const override {
    held_.fetch(split, items, batch);
  }
  /// The number of classes, which codes.txt may say alone, is as much part of it as the pixels.
  [[nodiscard]] std::uint64_t fingerprint() const override {
    return held_.fingerprint() ^
           static_cast<std::uint64_t>(held_.about.classes) * 0x9E3779B97F4A7C15ULL;
  }

 private:
  struct Splits {
    std::vector<Pair> train, valid;
  };
  /// Which there are in a mask.
  using Numbers = std::array<bool, 256>;

  static std::int64_t count(const std::vector<Pair>& pairs) {
    return static_cast<std::int64_t>(pairs.size());
  }
  [[nodiscard]] std::int64_t height() const { return params.height.value_or(params.size); }
  [[nodiscard]] std::int64_t width() const { return params.width.value_or(params.size); }
  [[nodiscard]] bool is_void(std::int64_t number) const {
    return std::count(params.void_numbers.begin(), params.void_numbers.end(), number) > 0;
  }

  [[nodiscard]] Held::Columns room(std::int64_t items) const {
    return {at::empty({items, 3, height(), width()}, at::kByte),
            at::empty({items, 1, height(), width()}, at::kByte)};
  }

  [[nodiscard]] Splits sorted(const std::vector<Source::Item>& items, const Source& source) const {
    // By split and stem.
    std::map<std::string, std::map<std::string, Pair>> found;
    for (const bool masks : {false, true}) {
      for (const Source::Item& item : items) {
        if (pictures::is_picture(item.inside)) assign(item, masks, found, source);
      }
    }
    const auto pairs_of = [&](const std::string& split) {
      std::vector<Pair> pairs;
      for (const auto& [stem, pair] : found[split]) {
        if (pair.mask == nullptr) {
          source.fail(pair.picture->shown, "there is no mask for it, expected a PNG of its name");
        }
        pairs.push_back(pair);
      }
      return pairs;
    };
    Splits splits;
    for (const char* name : {"valid", "val", "test"}) {
      if (splits.valid.empty() && found.contains("train")) splits.valid = pairs_of(name);
    }
    splits.train = pairs_of(splits.valid.empty() ? "" : "train");
    if (splits.train.empty()) {
      source.fail(
          "no images found, expected images/*.jpg with masks/*.png, or train/*.jpg with "
          "trainannot/*.png and valid/*.jpg with validannot/*.png");
    }
    if (splits.valid.empty()) hold_out(items, source, splits);
    return splits;
  }

  /// Pictures first, so that each mask finds its own.
  static void assign(const Source::Item& item, bool masks,
                     std::map<std::string, std::map<std::string, Pair>>& found,
                     const Source& source) {
    std::optional<Role> role = role_of(item.inside);
    if (!role || role->mask != masks) return;
    std::map<std::string, Pair>& of = found[role->split];
    if (masks && !of.contains(role->stem) && role->stem.ends_with("_P"))
      role->stem.resize(role->stem.size() - 2);
    if (masks && !of.contains(role->stem)) return;
    Pair& pair = of[role->stem];
    const Source::Item*& place = masks ? pair.mask : pair.picture;
    if (place != nullptr) {
      source.fail(item.shown, std::string("two ") + (masks ? "masks" : "images") +
                                  " have this name, the other is " + place->shown);
    }
    place = &item;
  }

  /// By the list, else a part.
  void hold_out(const std::vector<Source::Item>& items, const Source& source,
                Splits& splits) const {
    if (splits.train.size() < 2) source.fail("one image was found, expected at least 2");
    const auto list = std::find_if(items.begin(), items.end(), [&](const Source::Item& item) {
      return item.inside == params.list;
    });
    if (list == items.end()) {
      if (params.list != Params{}.list) source.fail("no file '" + std::string(params.list) + "'");
      splits.valid = pictures::hold_out(splits.train, params.valid, params.seed, "");
      return;
    }
    const std::vector<std::string> lines = lines_of(source.bytes_of(*list));
    std::set<std::string> names(lines.begin(), lines.end());
    std::vector<Pair> kept;
    for (const Pair& pair : splits.train) {
      const bool out = names.erase(fs::path(pair.picture->inside).filename().string()) > 0;
      (out ? splits.valid : kept).push_back(pair);
    }
    if (!names.empty()) source.fail(list->shown, "there is no image '" + *names.begin() + "'");
    if (kept.empty() || splits.valid.empty()) {
      source.fail(list->shown, "it names " + std::to_string(splits.valid.size()) + " of " +
                                   std::to_string(splits.train.size()) +
                                   " images, expected some and not all");
    }
    splits.train = std::move(kept);
  }

  void state_names(const std::vector<Source::Item>& items, const Source& source) {
    paribus::DataSpec& about = held_.about;
    about.classes = params.classes.value_or(0);
    for (const Source::Item& item : items) {
      if (item.inside != "codes.txt") continue;
      about.class_names = lines_of(source.bytes_of(item));
      while (!about.class_names.empty() &&
             is_void(static_cast<std::int64_t>(about.class_names.size()) - 1))
        about.class_names.pop_back();
      const auto named = static_cast<std::int64_t>(about.class_names.size());
      if (named < 2 || named > 256 || (about.classes > 0 && about.classes != named)) {
        source.fail(item.shown, "it names " + std::to_string(named) + " classes, expected " +
                                    (params.classes ? std::to_string(about.classes) : "2 to 256"));
      }
      about.classes = named;
    }
  }

  [[nodiscard]] Numbers put(const Source& source, const Pair& pair, const Held::Columns& to,
                            std::int64_t row) const {
    const bool crop = params.fit == "crop";
    const std::int64_t plane = height() * width();
    const pictures::Picture picture = source.decoded(*pair.picture, std::max(height(), width()));
    pictures::fit(picture, crop, height(), width(),
                  to.input.mutable_data_ptr<std::uint8_t>() + 3 * plane * row);
    pictures::Mask mask;
    pictures::Reason reason{};
    if (!pictures::decode_mask(source.bytes_of(*pair.mask), mask, reason))
      source.fail(pair.mask->shown, reason.data());
    if (mask.width != picture.file_width || mask.height != picture.file_height) {
      source.fail(pair.mask->shown, "of another size than its image, got " +
                                        std::to_string(mask.width) + " x " +
                                        std::to_string(mask.height) + ", expected " +
                                        std::to_string(picture.file_width) + " x " +
                                        std::to_string(picture.file_height));
    }
    Numbers numbers{};
    for (std::uint8_t& number : mask.numbers) {
      if (is_void(number)) number = static_cast<std::uint8_t>(params.void_numbers.front());
      numbers[number] = true;
    }
    for (std::int64_t k = held_.about.classes; k > 0 && k < 256; ++k) {
      if (!numbers[static_cast<std::size_t>(k)] || is_void(k)) continue;
      source.fail(pair.mask->shown,
                  "no class has the number " + std::to_string(k) + ", expected 0 to " +
                      std::to_string(held_.about.classes - 1) + "; if it is none, put it in void");
    }
    pictures::fit(mask, crop, height(), width(),
                  to.target.mutable_data_ptr<std::uint8_t>() + plane * row);
    return numbers;
  }

  /// How many there are, where nothing said it; each below the greatest must be somewhere, or 255
  /// for "yes" would be 256 classes.
  void state_classes(const Source& source, const std::vector<Pair>& pairs,
                     const std::vector<Numbers>& numbers) {
    std::int64_t greatest = -1, different = 0, last = -1;
    for (std::int64_t k = 0; k < 256; ++k) {
      const auto at = static_cast<std::size_t>(k);
      const auto with =
          std::find_if(numbers.begin(), numbers.end(), [&](const Numbers& of) { return of[at]; });
      if (is_void(k)) last = last == k - 1 ? k : last;
      if (is_void(k) || with == numbers.end()) continue;
      if (held_.about.classes == 0 && last != k - 1) {
        source.fail(pairs[static_cast<std::size_t>(with - numbers.begin())].mask->shown,
                    "it holds the number " + std::to_string(k) + ", but no mask holds " +
                        std::to_string(last + 1) + "; say how many classes there are by " +
                        "'classes' or codes.txt, or put the number in void");
      }
      greatest = last = k, ++different;
    }
    if (different < 2) {
      source.fail(
          "all masks are of " +
          (greatest < 0 ? std::string("no class") : "one class, " + std::to_string(greatest)) +
          ", expected several");
    }
    if (held_.about.classes == 0) held_.about.classes = greatest + 1;
  }

  Held held_;
};

PARIBUS_PART(MaskFolder, "mask_folder", "pictures with the class of each of their pixels")
