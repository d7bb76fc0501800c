// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes pictures for tests.

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace paribus::test {

/// Red across, green down, blue a seventh: what is where can be told.
inline std::vector<std::uint8_t> pattern(std::int64_t width, std::int64_t height) {
  std::vector<std::uint8_t> pixels;
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      pixels.insert(
          pixels.end(),
          {static_cast<std::uint8_t>(255 * x / std::max<std::int64_t>(1, width - 1)),
           static_cast<std::uint8_t>(255 * y / std::max<std::int64_t>(1, height - 1)), 36});
    }
  }
  return pixels;
}

/// `pixels`: colours side by side.
inline std::string jpeg(unsigned width, unsigned height, std::vector<std::uint8_t> pixels) {
  jpeg_compress_struct file{};
  jpeg_error_mgr errors;
  file.err = jpeg_std_error(&errors);
  jpeg_create_compress(&file);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&file, &bytes, &size);
  file.image_width = width;
  file.image_height = height;
  file.input_components = 3;
  file.in_color_space = JCS_RGB;
  jpeg_set_defaults(&file);
  jpeg_set_quality(&file, 95, TRUE);
  jpeg_start_compress(&file, TRUE);
  for (unsigned y = 0; y < height; ++y) {
    JSAMPROW row = pixels.data() + std::size_t{3} * width * y;
    jpeg_write_scanlines(&file, &row, 1);
  }
  jpeg_finish_compress(&file);
  std::string result(reinterpret_cast<char*>(bytes), size);
  jpeg_destroy_compress(&file);
  std::free(bytes);
  return result;
}

inline std::string jpeg(unsigned width, unsigned height) {
  return jpeg(width, height, pattern(width, height));
}

inline std::string png(unsigned width, unsigned height, const std::vector<std::uint8_t>& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width, image.height = height;
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr);
  std::string result(size, '\0');
  png_image_write_to_memory(&image, result.data(), &size, 0, pixels.data(), 0, nullptr);
  result.resize(size);
  return result;
}

inline std::string png(unsigned width, unsigned height) {
  return png(width, height, pattern(width, height));
}

/// A PNG of a few bytes that says it is as large as this.
inline std::string bomb(unsigned side) {
  std::string file = png(1, 1);
  for (const std::size_t place : {16U, 20U}) {
    for (unsigned k = 0; k < 4; ++k) file[place + k] = static_cast<char>(side >> (24 - 8 * k));
  }
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(file.data()) + 12, 17);
  for (unsigned k = 0; k < 4; ++k) file[29 + k] = static_cast<char>(crc >> (24 - 8 * k));
  return file;
}

inline std::string big_endian(std::size_t number) {
  std::string bytes;
  for (unsigned k = 0; k < 4; ++k) bytes += static_cast<char>(number >> (24 - 8 * k));
  return bytes;
}
/// As it stands in a PNG: length, type, data and checksum.
inline std::string chunk(const std::string& type, const std::string& data) {
  const std::string summed = type + data;
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(summed.data()), static_cast<uInt>(summed.size()));
  return big_endian(data.size()) + summed + big_endian(crc);
}
/// The PNG with a colour profile that libpng warns of.
inline std::string with_bad_profile(std::string png) {
  std::string profile(200, 'p'), packed(300, '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(profile.data()), profile.size());
  packed.resize(size);
  return png.insert(33, chunk("iCCP", std::string("profile\0\0", 9) + packed));  // after IHDR
}
/// The PNG with a wrong sum over its pixels and right sums over its chunks.
inline std::string with_bad_pixels(std::string png) {
  const std::size_t place = png.find("IDAT") - 4;
  const std::size_t end = png.find("IEND") - 4;
  std::string data = png.substr(place + 8, end - place - 12);
  data.back() = static_cast<char>(data.back() ^ 1);
  return png.replace(place, end - place, chunk("IDAT", data));
}

/// A PNG of numbers: of grey, or with a palette of so many colours, for which libpng takes as few
/// bits as will do.
inline std::string mask_png(unsigned width, unsigned height,
                            const std::vector<std::uint8_t>& numbers, unsigned palette = 0) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width, image.height = height;
  image.format = palette > 0 ? PNG_FORMAT_RGB_COLORMAP : PNG_FORMAT_GRAY;
  image.colormap_entries = palette;
  const std::vector<std::uint8_t> colours = pattern(palette, 1);
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, numbers.data(), 0, colours.data());
  std::string result(size, '\0');
  png_image_write_to_memory(&image, result.data(), &size, 0, numbers.data(), 0, colours.data());
  result.resize(size);
  return result;
}

}  // namespace paribus::test
