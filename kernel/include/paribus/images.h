// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "paribus/error.h"
#include "paribus/types.h"

namespace paribus {

// What transforms of images share.

/// Height and width of the images (masks included) that `spec` offers. Throws Error in the name of
/// `who`
/// ("transform/crop") if there are none or if their sizes differ.
struct ImageSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};
ImageSize image_size(const DataSpec& spec, const std::string& who);

/// Gives `spec`'s images this size.
void set_image_size(DataSpec& spec, ImageSize size);

/// The number of channels of the first input. Throws Error in the name of `who` unless that is an
/// image.
std::int64_t channels_of_first(const DataSpec& spec, const std::string& who);

/// `change(data, type)` for each image of the batch, masks included: it gets a contiguous tensor N
/// C H W on the CPU, which it may change in place, and returns what takes its place. Where the
/// batch is on another device, data go to the CPU and back.
template <class Change>
void each_image(Batch& batch, Change change) {
  for (auto* side : {&batch.inputs, &batch.targets}) {
    for (Typed& typed : *side) {
      if (!typed.type->is(kImage)) continue;
      const at::Device device = typed.data.device();
      typed.data = change(typed.data.cpu().contiguous(), *typed.type).to(device);
    }
  }
}

/// Where a place of the new image comes from: (x, y, 1) of the new one times this is the place in
/// the old one, up to a factor, row by row. Both are measured in pixels from the image's middle, x
/// to the right, y down.
using Origin = std::array<double, 9>;
inline constexpr Origin kUnmoved{1, 0, 0, 0, 1, 0, 0, 0, 1};

/// Size of the batch's images; 0 x 0 where there are none.
ImageSize image_size(const Batch& batch);

/// Whether there are points or boxes among the data, to be moved with their images.
bool has_places(const Batch& batch);

/// Points and boxes go where their images go: `origins` has one of each item, whose images are of
/// the size `from` before and `to` after. A box becomes the one about all that is seen of it; where
/// nothing is, it is gone. Places that aren't moved keep their bits. Throws Error where points or
/// boxes don't have their type's shape, and where an origin can't be inverted.
void move_places(Batch& batch, ImageSize from, ImageSize to, std::span<const Origin> origins);

/// Calls `move` with a null pointer to an unsigned integer as large as the tensor's elements, for
/// code that moves elements without looking at them.
template <class Move>
void by_element_size(const at::Tensor& data, Move move) {
  switch (data.element_size()) {
    case 1:
      return move(static_cast<std::uint8_t*>(nullptr));
    case 2:
      return move(static_cast<std::uint16_t*>(nullptr));
    case 4:
      return move(static_cast<std::uint32_t*>(nullptr));
    case 8:
      return move(static_cast<std::uint64_t*>(nullptr));
    default:
      throw Error("images with elements of " + std::to_string(data.element_size()) +
                  " bytes aren't supported");
  }
}

}  // namespace paribus
