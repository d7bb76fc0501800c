// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <paribus/dataset.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <pugixml.hpp>
#include <sstream>

#include "picture_files.h"
#include "pictures.h"
#include "threads.h"

namespace {

namespace fs = std::filesystem;
namespace pictures = paribus::pictures;
using pictures::Source;

const std::string kPart = "dataset/box_folder";
constexpr std::size_t kMostClasses = 1000;

// Annotations in the form of the Pascal VOC challenge: what is where in a picture.

constexpr std::size_t kMaxXmlBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxObjects = 1000;

/// Edges in pixels, of the picture's edges: 0 to its width and height.
struct Object {
  std::string name;
  double left = 0, top = 0, right = 0, bottom = 0;
  std::int64_t line = 0;
  [[nodiscard]] bool is_empty() const { return left >= right || top >= bottom; }
};

struct Annotation {
  double width = 0, height = 0;  // 0: not said
  std::vector<Object> objects;
};

/// `fail(line, problem)` throws.
template <class Fail>
class Reader {
 public:
  Reader(const std::string& bytes, Fail fail) : bytes_(bytes), fail_(fail) {}

  [[nodiscard]] Annotation read() const {
    if (bytes_.size() > kMaxXmlBytes) {
      fail_(1, "too large, got " + std::to_string(bytes_.size()) + " bytes, expected at most " +
                   std::to_string(kMaxXmlBytes));
    }
    pugi::xml_document file;
    const pugi::xml_parse_result result = file.load_buffer(bytes_.data(), bytes_.size());
    if (!result) fail_(line(result.offset), std::string("no good XML: ") + result.description());
    const pugi::xml_node top = file.child("annotation");
    if (!top) fail_(1, "there is no <annotation>, expected one of Pascal VOC's form");
    Annotation annotation;
    if (const pugi::xml_node size = top.child("size")) {
      annotation.width = number(size, "width"), annotation.height = number(size, "height");
    }
    for (const pugi::xml_node node : top.children("object")) {
      if (annotation.objects.size() == kMaxObjects)
        fail_(line(node), "more than " + std::to_string(kMaxObjects) + " objects");
      annotation.objects.push_back(object(node));
    }
    return annotation;
  }

 private:
  [[nodiscard]] std::int64_t line(std::ptrdiff_t offset) const {
    const auto end = std::clamp<std::ptrdiff_t>(offset, 0, std::ssize(bytes_));
    return 1 + std::count(bytes_.begin(), bytes_.begin() + end, '\n');
  }
  [[nodiscard]] std::int64_t line(const pugi::xml_node& node) const {
    return line(node.offset_debug());
  }

  [[nodiscard]] double number(const pugi::xml_node& of, const char* name) const {
    const pugi::xml_node node = of.child(name);
    if (!node) fail_(line(of), std::string("<") + of.name() + "> has no <" + name + ">");
    std::string_view text = node.text().get();
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0)
      text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0)
      text.remove_suffix(1);
    double value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size() || !(std::abs(value) <= 1e6)) {
      fail_(line(node), std::string("<") + name + "> is no number, got '" +
                            std::string(text.substr(0, 40)) + "', expected one in pixels");
    }
    return value;
  }

  /// Pixels count from 1, the last one is of the box: its edges are one less, and as it is.
  [[nodiscard]] Object object(const pugi::xml_node& node) const {
    Object object;
    object.line = line(node);
    object.name = node.child("name").text().get();
    if (object.name.empty() || object.name.size() > 200)
      fail_(object.line, "the object has no <name> of 1 to 200 letters");
    const pugi::xml_node box = node.child("bndbox");
    if (!box) fail_(object.line, "the object '" + object.name + "' has no <bndbox>");
    object.left = number(box, "xmin"), object.top = number(box, "ymin");
    object.right = number(box, "xmax"), object.bottom = number(box, "ymax");
    if (object.is_empty()) return object;
    object.left = std::max(object.left - 1, 0.0), object.top = std::max(object.top - 1, 0.0);
    return object;
  }

  const std::string& bytes_;
  Fail fail_;
};

/// A picture and what is in it.
struct Pair {
  const Source::Item* picture = nullptr;
  const Source::Item* annotation = nullptr;
  Annotation holds;
};

/// Names of pictures by the folders and the split of the list that they stand in.
using Lists = std::map<std::string, std::set<std::string>>;

/// Which of Pascal VOC's folders a file is in: the part before it, it, and the part after it
/// without the ending.
struct Role {
  std::string above, folder, stem;
};

std::optional<Role> role_of(const std::string& inside) {
  static const std::set<std::string> kFolders{"JPEGImages", "images", "Annotations", "annotations",
                                              "Main"};
  const std::string path = fs::path(inside).replace_extension().generic_string();
  for (std::size_t from = 0, to = 0; (to = path.find('/', from)) != std::string::npos;
       from = to + 1) {
    const std::string folder = path.substr(from, to - from);
    if (kFolders.contains(folder)) return Role{path.substr(0, from), folder, path.substr(to + 1)};
  }
  return std::nullopt;
}

/// What is decoded, as all data sets in memory hold it.
struct Held : paribus::TensorDataset {
  void open(const paribus::Files& /*files*/) override {}
  using TensorDataset::about, TensorDataset::train, TensorDataset::valid;
};

}  // namespace

/// Pictures with boxes about what is in them, in Pascal VOC's form: DIR/JPEGImages/NAME.jpg (or
/// DIR/images) with DIR/Annotations/NAME.xml; DIR/ImageSets/Main/train.txt and val.txt (else
/// test.txt) name the pictures of the splits; without them a part is held out. `dir` may be a tar
/// archive of such a folder.
///
/// The target is the boxes of each picture, or, with `point_of = "CLASS"`, the middle of the one
/// box of that class, of the pictures with exactly one: a point to find. Classes are numbered by
/// their names. What `fit` cuts off a picture is cut off its boxes. All are decoded once and shared
/// by a study's trials. Order: names.
struct BoxFolder : paribus::Dataset {
  struct Params {
    std::string_view dir;
    int size = 224;
    std::optional<int> height;
    std::optional<int> width;
    std::string_view fit = "crop";
    std::string_view point_of;
    std::string_view empty = "refuse";
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
          paribus::field("point_of", &Params::point_of,
                         "a class: the target is the middle of its box, of the pictures with one; "
                         "empty: all boxes"),
          paribus::field("empty", &Params::empty,
                         "boxes that end where they begin: refuse them, or leave them out")
              .one_of("refuse", "skip"),
          paribus::field("valid", &Params::valid,
                         "part of the pictures for validation, where there are no lists")
              .above(0)
              .below(1),
          paribus::field("seed", &Params::seed, "of that choice")};
    }
  } params;

  void open(const paribus::Files& /*files*/) override {
    if (params.dir.empty()) throw paribus::Error(kPart + ": no folder is given; set dir");
    const Source source(kPart, std::string(params.dir));
    const std::vector<Source::Item> items = source.items([](const std::string& name) {
      const std::string ending = fs::path(name).extension().string();
      return pictures::is_picture(name) || ending == ".xml" ||
             (ending == ".txt" && name.find("/Main/") != std::string::npos);
    });
    std::map<std::string, Pair> found = paired(items, source);
    paribus::each_in_threads(found.size(), [&](std::size_t i) {
      Pair& pair = std::next(found.begin(), static_cast<std::ptrdiff_t>(i))->second;
      if (pair.annotation != nullptr) pair.holds = annotation_of(source, *pair.annotation);
    });
    state_names(found, source);
    const auto [train, valid] = split(found, items, source);
    most_ = 0;
    for (const auto* pairs : {&train, &valid}) {
      for (const Pair& pair : *pairs) most_ = std::max(most_, std::ssize(pair.holds.objects));
    }
    const std::int64_t count = std::ssize(train) + std::ssize(valid);
    source.check_room(count, height(), width(), 3);
    held_.train = room(std::ssize(train)), held_.valid = room(std::ssize(valid));
    paribus::each_in_threads(static_cast<std::size_t>(count), [&](std::size_t i) {
      const bool of_train = i < train.size();
      const std::size_t row = of_train ? i : i - train.size();
      put(source, of_train ? train[row] : valid[row], of_train ? held_.train : held_.valid,
          static_cast<std::int64_t>(row));
    });
    held_.about.inputs = {{&paribus::kImage, {}}};
    held_.about.is_sorted = true;
    held_.about.targets = {{wants_point() ? &paribus::kPoints : &paribus::kBoxes, {}}};
    pictures::state_colours(held_.train.input, held_.about);
  }

  [[nodiscard]] paribus::DataSpec spec() const override { return held_.spec(); }
  void fetch(paribus::Split split, std::span<const std::int64_t> items,
             paribus::Batch& batch) const override {
    held_.fetch(split, items, batch);
  }
  [[nodiscard]] std::uint64_t fingerprint() const override { return held_.fingerprint(); }

 private:
  [[nodiscard]] std::int64_t height() const { return params.height.value_or(params.size); }
  [[nodiscard]] std::int64_t width() const { return params.width.value_or(params.size); }
  [[nodiscard]] bool wants_point() const { return !params.point_of.empty(); }

  [[nodiscard]] Held::Columns room(std::int64_t items) const {
    at::Tensor boxes = wants_point() ? at::zeros({items, 1, 2}, at::kFloat)
                                     : at::zeros({items, std::max<std::int64_t>(most_, 1), 5});
    if (!wants_point()) boxes.select(2, 4).fill_(-1);
    return {at::empty({items, 3, height(), width()}, at::kByte), boxes};
  }

  /// By the folders that they are in and their names. Annotations without a picture are passed
  /// over.
  static std::map<std::string, Pair> paired(const std::vector<Source::Item>& items,
                                            const Source& source) {
    std::map<std::string, Pair> found;
    for (const bool annotations : {false, true}) {
      for (const Source::Item& item : items) {
        const std::optional<Role> role = role_of(item.inside);
        if (!role || role->folder == "Main" || pictures::is_picture(item.inside) == annotations ||
            (role->folder == "Annotations" || role->folder == "annotations") != annotations)
          continue;
        const std::string key = role->above + '\n' + role->stem;
        if (annotations && !found.contains(key)) continue;
        Pair& pair = found[key];
        const Source::Item*& place = annotations ? pair.annotation : pair.picture;
        if (place != nullptr) {
          source.fail(item.shown, std::string("two ") + (annotations ? "annotations" : "images") +
                                      " have this name, the other is " + place->shown);
        }
        place = &item;
      }
    }
    if (found.empty())
      source.fail("no images found, expected JPEGImages/*.jpg with Annotations/*.xml");
    for (const auto& [key, pair] : found) {
      if (pair.annotation == nullptr)
        source.fail(pair.picture->shown,
                    "there is no annotation for it, expected an XML file of its name");
    }
    return found;
  }

  [[nodiscard]] Annotation annotation_of(const Source& source, const Source::Item& item) const {
    const std::string bytes = source.bytes_of(item);
    const auto fail = [&](std::int64_t line, const std::string& problem) {
      source.fail(item.shown + ":" + std::to_string(line), problem);
    };
    Annotation annotation = Reader(bytes, fail).read();
    if (params.empty == "skip")
      std::erase_if(annotation.objects, [](const Object& object) { return object.is_empty(); });
    for (const Object& object : annotation.objects) {
      if (!object.is_empty()) continue;
      fail(object.line, "the box of '" + object.name + "' is empty, got " + shown(object) +
                            ", expected xmin below xmax and ymin below ymax; empty = \"skip\" "
                            "leaves such boxes out");
    }
    return annotation;
  }

  static std::string shown(const Object& object) {
    std::ostringstream text;
    text << "edges " << object.left << ", " << object.top << ", " << object.right << ", "
         << object.bottom;
    return text.str();
  }

  void state_names(const std::map<std::string, Pair>& found, const Source& source) {
    std::set<std::string> names;
    for (const auto& [key, pair] : found) {
      for (const Object& object : pair.holds.objects) names.insert(object.name);
    }
    if (names.empty()) source.fail("no annotation holds an object, expected some");
    if (names.size() > kMostClasses) {
      source.fail(std::to_string(names.size()) + " classes, expected at most " +
                  std::to_string(kMostClasses));
    }
    held_.about.class_names.assign(names.begin(), names.end());
    if (!wants_point() || names.contains(std::string(params.point_of))) return;
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    source.fail("no object is of the class point_of, got '" + std::string(params.point_of) +
                "', expected one of " + all.substr(0, 400));
  }

  /// As many of them as `point_of`'s class there are; one is wanted.
  [[nodiscard]] bool is_wanted(Pair& pair) const {
    if (!wants_point()) return true;
    std::erase_if(pair.holds.objects,
                  [&](const Object& object) { return object.name != params.point_of; });
    return pair.holds.objects.size() == 1;
  }

  struct Splits {
    std::vector<Pair> train, valid;
  };
  [[nodiscard]] Splits split(const std::map<std::string, Pair>& found,
                             const std::vector<Source::Item>& items, const Source& source) const {
    const Lists lists = lists_of(found, items, source);
    const bool has_lists = lists.contains("train");
    const std::string held_out = lists.contains("val") ? "val" : "test";
    if (has_lists && !lists.contains(held_out))
      source.fail("there is a train.txt, but no val.txt or test.txt beside it");
    Splits splits;
    for (auto [key, pair] : found) {
      if (!is_wanted(pair)) continue;
      const bool of_train = !has_lists || lists.at("train").contains(key);
      const bool of_valid = has_lists && lists.at(held_out).contains(key);
      if (of_train && of_valid)
        source.fail(pair.picture->shown, "train.txt and " + held_out + ".txt name it");
      if (of_train) splits.train.push_back(pair);
      if (of_valid) splits.valid.push_back(pair);
    }
    if (!has_lists && splits.train.size() >= 2)
      splits.valid = pictures::hold_out(splits.train, params.valid, params.seed, "");
    if (splits.train.empty() || splits.valid.empty()) {
      source.fail(
          std::to_string(splits.train.size()) + " images to train on and " +
          std::to_string(splits.valid.size()) + " to validate on" +
          (wants_point() ? " hold exactly one '" + std::string(params.point_of) + "'" : "") +
          ", expected some of both");
    }
    return splits;
  }

  static Lists lists_of(const std::map<std::string, Pair>& found,
                        const std::vector<Source::Item>& items, const Source& source) {
    Lists lists;
    for (const Source::Item& item : items) {
      const std::optional<Role> role = role_of(item.inside);
      if (!role || role->folder != "Main") continue;
      constexpr std::string_view kAbove = "ImageSets/";
      std::string above = role->above;
      if (!above.ends_with(kAbove)) continue;
      above.resize(above.size() - kAbove.size());
      if (role->stem != "train" && role->stem != "val" && role->stem != "test") continue;
      std::istringstream in(source.bytes_of(item));
      for (std::string line; std::getline(in, line);) {
        line.erase(line.find_last_not_of(" \t\r") + 1);
        if (line.empty()) continue;
        if (!found.contains(above + '\n' + line))
          source.fail(item.shown, "there is no image '" + line.substr(0, 200) + "'");
        lists[role->stem].insert(above + '\n' + line);
      }
    }
    return lists;
  }

  void put(const Source& source, const Pair& pair, const Held::Columns& to,
           std::int64_t row) const {
    const bool crop = params.fit == "crop";
    const std::int64_t plane = height() * width();
    const pictures::Picture picture = source.decoded(*pair.picture, std::max(height(), width()));
    pictures::fit(picture, crop, height(), width(),
                  to.input.mutable_data_ptr<std::uint8_t>() + 3 * plane * row);
    check(source, pair, picture);
    const pictures::Window in =
        pictures::window(picture.file_height, picture.file_width, crop, height(), width());
    float* place = to.target.mutable_data_ptr<float>() + row * to.target.stride(0);
    const auto x = [&](double edge) { return 2 * (edge - in.left) / in.across - 1; };
    const auto y = [&](double edge) { return 2 * (edge - in.top) / in.down - 1; };
    for (const Object& object : pair.holds.objects) {
      if (wants_point()) {
        place[0] = static_cast<float>(x((object.left + object.right) / 2));
        place[1] = static_cast<float>(y((object.top + object.bottom) / 2));
        return;
      }
      const std::array<double, 4> edges{x(object.left), y(object.top), x(object.right),
                                        y(object.bottom)};
      for (std::size_t k = 0; k < 4; ++k)
        place[k] = static_cast<float>(std::clamp(edges[k], -1.0, 1.0));
      if (place[0] >= place[2] || place[1] >= place[3]) {  // all of it is cut off
        std::fill_n(place, 4, 0.0F);
        continue;
      }
      const auto& names = held_.about.class_names;
      place[4] = static_cast<float>(std::lower_bound(names.begin(), names.end(), object.name) -
                                    names.begin());
      place += 5;
    }
  }

  static void check(const Source& source, const Pair& pair, const pictures::Picture& picture) {
    const auto width = static_cast<double>(picture.file_width),
               height = static_cast<double>(picture.file_height);
    const Annotation& holds = pair.holds;
    const std::string size =
        std::to_string(picture.file_width) + " x " + std::to_string(picture.file_height);
    if (holds.width != 0 && (holds.width != width || holds.height != height)) {
      std::ostringstream got;
      got << holds.width << " x " << holds.height;
      source.fail(pair.annotation->shown,
                  "of another size than its image, got " + got.str() + ", expected " + size);
    }
    for (const Object& object : holds.objects) {
      if (object.left >= 0 && object.top >= 0 && object.right <= width && object.bottom <= height)
        continue;
      source.fail(pair.annotation->shown + ":" + std::to_string(object.line),
                  "the box of '" + object.name + "' lies outside the image, got " + shown(object) +
                      ", expected them within " + size);
    }
  }

  std::int64_t most_ = 0;  // boxes of a picture
  Held held_;
};

PARIBUS_PART(BoxFolder, "box_folder",
             "pictures with boxes about what is in them, or a point to find")
