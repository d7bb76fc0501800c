// SPDX-License-Identifier: Apache-2.0
#pragma once

// Annotations in the form of the Pascal VOC challenge: what is where in a picture.

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace paribus::voc {

constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
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
    if (bytes_.size() > kMaxBytes) {
      fail_(1, "too large, got " + std::to_string(bytes_.size()) + " bytes, expected at most " +
                   std::to_string(kMaxBytes));
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

}  // namespace paribus::voc
