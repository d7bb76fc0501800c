// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <paribus/images.h>
#include <paribus/transform.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace paribus::colour {

/// The planes of one item of an image of bytes.
struct Pixels {
  std::uint8_t* data;
  std::int64_t channels;
  std::int64_t count;  // of pixels
  [[nodiscard]] std::uint8_t* plane(std::int64_t channel) const { return data + channel * count; }
  /// Brightness of a pixel, 0 to 255 (ITU-R 601-2, as torchvision's rgb_to_grayscale).
  [[nodiscard]] float grey(std::int64_t k) const {
    if (channels != 3) return static_cast<float>(data[k]);
    return 0.2989F * static_cast<float>(data[k]) + 0.587F * static_cast<float>(plane(1)[k]) +
           0.114F * static_cast<float>(plane(2)[k]);
  }
};

inline std::uint8_t byte(float value) {
  return static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
}

/// The channels of the first input. Throws Error unless they are 1 or 3, or 3 alone where `colours`
/// are needed.
inline void check(const DataSpec& spec, const std::string& who, bool colours) {
  const std::int64_t channels = channels_of_first(spec, who);
  if (channels == 3 || (channels == 1 && !colours)) return;
  throw Error(who + ": the images have " + std::to_string(channels) + " channels, expected " +
              (colours ? "3" : "1 or 3") + "; remove it from the transforms");
}

/// `change(pixels, draws)` for the items of all images but masks. Throws Error unless they are
/// bytes: what floats mean as light isn't known here.
template <class Change>
void each_item(Batch& batch, const Stream& stream, const std::string& who, Change change) {
  for (Typed& typed : batch.inputs) {
    if (!typed.type->is(kImage) || typed.type->is(kMask)) continue;
    if (typed.data.scalar_type() != at::kByte) {
      throw Error(who + ": the images are of type " + std::string(typed.data.dtype().name()) +
                  ", expected bytes from 0 to 255; put it before normalize");
    }
    const at::Device device = typed.data.device();
    const at::Tensor data = typed.data.cpu().contiguous();
    for (std::int64_t i = 0; i < data.size(0); ++i) {
      Draws draws = stream.item(batch.epoch, batch.items[static_cast<std::size_t>(i)]);
      change(Pixels{data.mutable_data_ptr<std::uint8_t>() + i * data.stride(0), data.size(1),
                    data.size(2) * data.size(3)},
             draws);
    }
    typed.data = data.to(device);
  }
}

/// A factor from 1 - most to 1 + most.
inline float factor(Draws& draws, double most) {
  return static_cast<float>(1 + most * (2 * draws.uniform() - 1));
}

/// Of what is there this part, of `other(pixel)` the rest.
template <class Other>
void blend(const Pixels& pixels, float part, Other other) {
  for (std::int64_t k = 0; k < pixels.count; ++k) {
    const float rest = (1 - part) * other(k);
    for (std::int64_t c = 0; c < pixels.channels; ++c)
      pixels.plane(c)[k] = byte(part * static_cast<float>(pixels.plane(c)[k]) + rest);
  }
}

/// The mean brightness of an item.
inline float mean_grey(const Pixels& pixels) {
  double sum = 0;
  for (std::int64_t k = 0; k < pixels.count; ++k) sum += pixels.grey(k);
  return static_cast<float>(sum / static_cast<double>(pixels.count));
}

/// Draws for each item how much of it stays, from 1 - max to 1 + max; the rest is `Of::other` of
/// its pixels. `Of::kWho` is the part for messages; `Of::kColours` says that grey images have none.
template <class Of>
struct Blended : Transform {
  struct Params {
    double max = 0.2;
    double p = 0.75;

    static constexpr auto fields() {
      return std::tuple{field("max", &Params::max, "how far the factor is from 1; 0: not at all")
                            .at_least(0)
                            .at_most(1)
                            .live(),
                        field("p", &Params::p, "probability that an item is changed")
                            .at_least(0)
                            .at_most(1)
                            .live()};
    }
  } params;

  DataSpec setup(DataSpec in) override {
    check(in, Of::kWho, Of::kColours);
    return in;
  }
  [[nodiscard]] bool training_only() const override { return true; }

  void apply(Batch& batch, const Stream& stream) const override {
    if (params.max == 0 || params.p <= 0) return;
    each_item(batch, stream, Of::kWho, [&](const Pixels& pixels, Draws& draws) {
      if (draws.uniform() < params.p) blend(pixels, factor(draws, params.max), Of::other(pixels));
    });
  }
};

/// Turns the hue by a part of the circle: to hue, saturation and value, and back (Smith 1978).
inline void turn_hue(const Pixels& pixels, float turn) {
  std::uint8_t *red = pixels.plane(0), *green = pixels.plane(1), *blue = pixels.plane(2);
  for (std::int64_t k = 0; k < pixels.count; ++k) {
    const auto r = static_cast<float>(red[k]), g = static_cast<float>(green[k]),
               b = static_cast<float>(blue[k]);
    const float most = std::max({r, g, b}), least = std::min({r, g, b}), span = most - least;
    if (span == 0) continue;  // grey has no hue
    float hue = 0;            // in sixths of the circle
    if (most == r) {
      hue = (g - b) / span;
    } else if (most == g) {
      hue = 2 + (b - r) / span;
    } else {
      hue = 4 + (r - g) / span;
    }
    hue += 6 * turn;
    const auto level = [&](float from) {
      float place = std::fmod(from + hue, 6.0F);
      if (place < 0) place += 6;
      return byte(most - span * std::clamp(std::min(place, 4 - place), 0.0F, 1.0F));
    };
    red[k] = level(5), green[k] = level(3), blue[k] = level(1);
  }
}

}  // namespace paribus::colour
