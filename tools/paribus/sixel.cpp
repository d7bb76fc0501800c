// SPDX-License-Identifier: Apache-2.0
#include "sixel.h"

#include <png.h>
#include <sixel/sixel.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "paribus/error.h"

namespace paribus {
namespace {

struct Pixels {
  int width = 0, height = 0;
  std::vector<unsigned char> rgb;
};

Pixels decoded(const std::string& png) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, decltype(&png_image_free)> freed(&image, png_image_free);
  Pixels pixels;
  png_color white{255, 255, 255};
  bool fine = png_image_begin_read_from_memory(&image, png.data(), png.size()) != 0;
  if (fine) {
    image.format = PNG_FORMAT_RGB;
    pixels.width = static_cast<int>(image.width), pixels.height = static_cast<int>(image.height);
    pixels.rgb.resize(PNG_IMAGE_SIZE(image));
    fine = png_image_finish_read(&image, &white, pixels.rgb.data(), 0, nullptr) != 0;
  }
  if (!fine) throw Error(std::string("the picture can't be read: ") + image.message);
  return pixels;
}

int append(char* data, int size, void* to) {
  static_cast<std::string*>(to)->append(data, static_cast<std::size_t>(size));
  return size;
}

void check(SIXELSTATUS status) {
  if (SIXEL_FAILED(status))
    throw Error(std::string("the picture can't be made sixels: ") +
                sixel_helper_format_error(status));
}

}  // namespace

std::string sixels(const std::string& png) {
  Pixels pixels = decoded(png);
  std::string text;
  sixel_output_t* output = nullptr;
  check(sixel_output_new(&output, append, &text, nullptr));
  const std::unique_ptr<sixel_output_t, decltype(&sixel_output_unref)> output_(output,
                                                                               sixel_output_unref);
  sixel_dither_t* dither = nullptr;
  check(sixel_dither_new(&dither, SIXEL_PALETTE_MAX, nullptr));
  const std::unique_ptr<sixel_dither_t, decltype(&sixel_dither_unref)> dither_(dither,
                                                                               sixel_dither_unref);
  check(sixel_dither_initialize(dither, pixels.rgb.data(), pixels.width, pixels.height,
                                SIXEL_PIXELFORMAT_RGB888, SIXEL_LARGE_NORM,
                                SIXEL_REP_AVERAGE_PIXELS, SIXEL_QUALITY_HIGH));
  // libsixel counts colours by their first five bits: its white is 247, and all else as much
  // darker.
  unsigned char* palette = sixel_dither_get_palette(dither);
  const int numbers = 3 * sixel_dither_get_num_of_palette_colors(dither);
  for (int i = 0; i < numbers; ++i)
    palette[i] = static_cast<unsigned char>(std::min(255, palette[i] * 255 / 247));
  check(sixel_encode(pixels.rgb.data(), pixels.width, pixels.height, 3, dither, output));
  return text;
}

}  // namespace paribus
