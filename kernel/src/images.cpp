// SPDX-License-Identifier: Apache-2.0
#include "paribus/images.h"

namespace paribus {
namespace {

std::string text(ImageSize size) {
  return std::to_string(size.height) + " x " + std::to_string(size.width);
}

ImageSize size_of(const Spec& spec, const std::string& who) {
  if (spec.shape.size() == 3) return {spec.shape[1], spec.shape[2]};
  throw Error(who + ": an image has " + std::to_string(spec.shape.size()) +
              " dimensions, expected 3: channels, height and width");
}

}  // namespace

ImageSize image_size(const DataSpec& spec, const std::string& who) {
  ImageSize first;
  for (const auto* side : {&spec.inputs, &spec.targets}) {
    for (const Spec& one : *side) {
      if (!one.type->is(kImage)) continue;
      const ImageSize size = size_of(one, who);
      if (first.height == 0) first = size;
      if (size.height == first.height && size.width == first.width) continue;
      throw Error(who + ": images and masks of an item differ in size, got " + text(first) +
                  " and " + text(size));
    }
  }
  if (first.height == 0)
    throw Error(who + ": the data hold no images; remove it from the transforms");
  return first;
}

void set_image_size(DataSpec& spec, ImageSize size) {
  for (auto* side : {&spec.inputs, &spec.targets}) {
    for (Spec& one : *side) {
      if (one.type->is(kImage)) one.shape = {one.shape[0], size.height, size.width};
    }
  }
}

std::int64_t channels_of_first(const DataSpec& spec, const std::string& who) {
  if (spec.inputs.empty() || !spec.inputs.front().type->is(kImage)) {
    throw Error(who + ": the first input is " +
                (spec.inputs.empty()
                     ? "missing"
                     : "of the type " + std::string(spec.inputs.front().type->name)) +
                ", expected an image");
  }
  static_cast<void>(size_of(spec.inputs.front(), who));
  return spec.inputs.front().shape[0];
}

}  // namespace paribus
