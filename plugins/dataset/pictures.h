// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures and masks from files' bytes into planes of one size.

#include <jpeglib.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace paribus::pictures {

constexpr std::int64_t kMaxPixels = 100'000'000;  // of one picture: 300 MB of colours

/// Colours side by side.
struct Picture {
  std::int64_t width = 0, height = 0;
  std::int64_t file_width = 0, file_height = 0;  // before scaled decoding
  std::vector<std::uint8_t> rgb;
};

struct JpegProblem {
  jpeg_error_mgr manager;
  std::jmp_buf back;
  char text[JMSG_LENGTH_MAX];
};

[[noreturn]] inline void jpeg_fails(j_common_ptr jpeg) {
  auto* problem = reinterpret_cast<JpegProblem*>(jpeg->err);
  (*problem->manager.format_message)(jpeg, problem->text);
  std::longjmp(problem->back, 1);
}
inline void jpeg_warns(j_common_ptr jpeg, int level) {
  if (level < 0) jpeg_fails(jpeg);  // corrupt data that libjpeg would paint over
}

using Reason = std::array<char, JMSG_LENGTH_MAX>;

inline bool bounded(std::int64_t width, std::int64_t height, Reason& reason) {
  if (width > 0 && height > 0 && width <= kMaxPixels / height) return true;
  std::snprintf(reason.data(), reason.size(), "got %lld x %lld pixels, expected at most %lld",
                static_cast<long long>(width), static_cast<long long>(height),
                static_cast<long long>(kMaxPixels));
  return false;
}

/// Decodes at the least of libjpeg's sizes (eighths) whose shorter side is at least `side`; or
/// returns false with the reason. `picture` outlives libjpeg's leaving by longjmp.
inline bool decode_jpeg(const std::string& bytes, std::int64_t side, Picture& picture,
                        Reason& reason) {
  jpeg_decompress_struct jpeg{};
  JpegProblem problem;
  jpeg.err = jpeg_std_error(&problem.manager);
  problem.manager.error_exit = jpeg_fails;
  problem.manager.emit_message = jpeg_warns;
  if (setjmp(problem.back) != 0) {  // NOLINT: libjpeg's way
    jpeg_destroy_decompress(&jpeg);
    std::snprintf(reason.data(), reason.size(), "%s", problem.text);
    return false;
  }
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&jpeg, TRUE);
  if (!bounded(jpeg.image_width, jpeg.image_height, reason)) {
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  const std::int64_t shorter = std::min(jpeg.image_width, jpeg.image_height);
  jpeg.scale_denom = 8;
  jpeg.scale_num =
      static_cast<unsigned>(std::clamp<std::int64_t>((8 * side + shorter - 1) / shorter, 1, 8));
  jpeg.out_color_space = JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;  // the same bits with and without SIMD
  jpeg_start_decompress(&jpeg);
  picture.file_width = jpeg.image_width, picture.file_height = jpeg.image_height;
  picture.width = jpeg.output_width, picture.height = jpeg.output_height;
  picture.rgb.resize(static_cast<std::size_t>(3 * picture.width * picture.height));
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = picture.rgb.data() + 3 * picture.width * jpeg.output_scanline;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return true;
}

/// What libpng warns of before the pixels is about colours and texts: a common one is a colour
/// profile that it takes for wrong. A warning while it reads the pixels means that they are
/// damaged.
inline bool decode_png(const std::string& bytes, Picture& picture, Reason& reason) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  bool good = png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) != 0;
  if (good && !bounded(image.width, image.height, reason)) {
    png_image_free(&image);
    return false;
  }
  image.format = PNG_FORMAT_RGB;
  const png_color black{0, 0, 0};  // under transparent pixels
  if (good) {
    picture.width = picture.file_width = image.width;
    picture.height = picture.file_height = image.height;
    picture.rgb.resize(static_cast<std::size_t>(3 * picture.width * picture.height));
    image.warning_or_error = 0;  // libpng keeps the first of all
    good = png_image_finish_read(&image, &black, picture.rgb.data(), 0, nullptr) != 0;
  }
  if (!good || (image.warning_or_error & PNG_IMAGE_WARNING) != 0) {
    std::snprintf(reason.data(), reason.size(), "%s", image.message);
    good = false;
  }
  png_image_free(&image);
  return good;
}

/// By what the bytes begin with. False with the reason where they are no whole picture.
inline bool decode(const std::string& bytes, std::int64_t side, Picture& picture,
                   std::string& reason) {
  Reason said{};
  const bool png = bytes.starts_with("\x89PNG");
  if (png ? decode_png(bytes, picture, said) : decode_jpeg(bytes, side, picture, said)) return true;
  reason = std::string("not a good ") + (png ? "PNG" : "JPEG") + " image: " + said.data();
  return false;
}

/// A stretch of old pixels along one side, and what a new pixel takes of each: the mean over the
/// area that it covers, or, where the picture grows, its nearest neighbours.
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

inline std::vector<Taps> taps(double from, double step, std::int64_t old, std::int64_t count) {
  std::vector<Taps> all;
  for (std::int64_t i = 0; i < count; ++i) {
    const double middle = from + (static_cast<double>(i) + 0.5) * step;
    const double half = std::max(step, 1.0) / 2;
    const double low = std::clamp(middle - half, 0.0, static_cast<double>(old));
    const double high = std::clamp(middle + half, 0.0, static_cast<double>(old));
    Taps one{std::min(old - 1, static_cast<std::int64_t>(low)), {}};
    for (std::int64_t k = one.first; k < old; ++k) {
      const double part =
          std::min(high, static_cast<double>(k + 1)) - std::max(low, static_cast<double>(k));
      if (part <= 1e-9 && !one.weights.empty()) break;
      if (part <= 1e-9) {  // rounding put the begin just before a pixel's edge
        one.first = k + 1;
        continue;
      }
      one.weights.push_back(static_cast<float>(part / (high - low)));
    }
    all.push_back(std::move(one));
  }
  return all;
}

/// The part of a picture that is shown: the largest in the middle with the sides' ratio of the
/// planes, or the whole, squeezed.
struct Window {
  double left, top, across, down;
};

inline Window window(std::int64_t from_height, std::int64_t from_width, bool crop,
                     std::int64_t height, std::int64_t width) {
  const auto old_width = static_cast<double>(from_width),
             old_height = static_cast<double>(from_height);
  const auto w = static_cast<double>(width), h = static_cast<double>(height);
  double across = old_width, down = old_height;
  if (crop && old_width * h > old_height * w) across = old_height * w / h;
  if (crop && old_width * h < old_height * w) down = old_width * h / w;
  return {(old_width - across) / 2, (old_height - down) / 2, across, down};
}

/// Into planes of height x width.
inline void fit(const Picture& picture, bool crop, std::int64_t height, std::int64_t width,
                std::uint8_t* planes) {
  const Window in = window(picture.height, picture.width, crop, height, width);
  const auto columns = taps(in.left, in.across / static_cast<double>(width), picture.width, width);
  const auto rows = taps(in.top, in.down / static_cast<double>(height), picture.height, height);
  std::vector<float> line(static_cast<std::size_t>(3 * picture.width));
  for (std::int64_t y = 0; y < height; ++y) {
    const Taps& row = rows[static_cast<std::size_t>(y)];
    std::fill(line.begin(), line.end(), 0.0F);
    for (std::size_t t = 0; t < row.weights.size(); ++t) {
      const std::uint8_t* old =
          picture.rgb.data() + (row.first + static_cast<std::int64_t>(t)) * 3 * picture.width;
      for (std::size_t k = 0; k < line.size(); ++k)
        line[k] += row.weights[t] * static_cast<float>(old[k]);
    }
    for (std::int64_t x = 0; x < width; ++x) {
      const Taps& column = columns[static_cast<std::size_t>(x)];
      for (std::int64_t c = 0; c < 3; ++c) {
        float sum = 0.5F;
        for (std::size_t t = 0; t < column.weights.size(); ++t)
          sum +=
              column.weights[t] *
              line[static_cast<std::size_t>(3 * (column.first + static_cast<std::int64_t>(t)) + c)];
        planes[(c * height + y) * width + x] =
            static_cast<std::uint8_t>(std::clamp(sum, 0.0F, 255.0F));
      }
    }
  }
}

// Masks: the number that a PNG stores for a pixel is its class.

/// Class numbers side by side.
struct Mask {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> numbers;
};

namespace detail {

struct PngProblem {
  std::jmp_buf back;
  char text[160];
};

[[noreturn]] inline void png_fails(png_structp png, png_const_charp text) {
  auto* problem = static_cast<PngProblem*>(png_get_error_ptr(png));
  std::snprintf(problem->text, sizeof problem->text, "%s", text);
  std::longjmp(problem->back, 1);
}
/// They are about colours and texts, none of which is read, but where pixels are damaged.
inline void png_warns(png_structp png, png_const_charp text) {
  if (std::string_view(text).starts_with("IDAT")) png_fails(png, text);
}

struct Bytes {
  const std::string* all;
  std::size_t next;
};

inline void png_takes(png_structp png, png_bytep to, png_size_t count) {
  auto* from = static_cast<Bytes*>(png_get_io_ptr(png));
  if (from->all->size() - from->next < count) png_error(png, "it ends too early");
  std::copy_n(from->all->data() + from->next, count, reinterpret_cast<char*>(to));
  from->next += count;
}

/// Grey of at most 8 bits, or a palette: else false with what it is.
inline bool is_mask(int colour, int bits, Reason& reason) {
  if (colour == PNG_COLOR_TYPE_PALETTE || (colour == PNG_COLOR_TYPE_GRAY && bits <= 8)) return true;
  const char* name = colour == PNG_COLOR_TYPE_GRAY         ? "grey"
                     : colour == PNG_COLOR_TYPE_GRAY_ALPHA ? "grey and transparency"
                                                           : "colours";
  std::snprintf(reason.data(), reason.size(),
                "a mask holds class numbers, got %s of %d bits, expected 8-bit grey or a palette",
                name, bits);
  return false;
}

/// `mask` and `rows` outlive libpng's leaving by longjmp.
inline bool decode_mask(png_structp png, png_infop info, Mask& mask, std::vector<png_bytep>& rows,
                        Reason& reason) {
  png_read_info(png, info);
  const std::int64_t width = png_get_image_width(png, info);
  const std::int64_t height = png_get_image_height(png, info);
  if (!bounded(width, height, reason) ||
      !is_mask(png_get_color_type(png, info), png_get_bit_depth(png, info), reason))
    return false;
  png_set_packing(png);  // a byte each, whatever they take in the file
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  mask.width = width, mask.height = height;
  mask.numbers.resize(static_cast<std::size_t>(width * height));
  for (std::int64_t y = 0; y < height; ++y) rows.push_back(mask.numbers.data() + y * width);
  png_read_image(png, rows.data());
  png_read_end(png, nullptr);
  return true;
}

}  // namespace detail

/// False with the reason where the bytes are no whole PNG of class numbers.
inline bool decode_mask(const std::string& bytes, Mask& mask, Reason& reason) {
  detail::PngProblem problem;
  detail::Bytes from{&bytes, 0};
  std::vector<png_bytep> rows;
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &problem, detail::png_fails, detail::png_warns);
  png_infop info = png_create_info_struct(png);
  bool good = false;
  if (setjmp(problem.back) != 0) {  // NOLINT: libpng's way
    std::snprintf(reason.data(), reason.size(), "not a good PNG image: %s", problem.text);
    png_destroy_read_struct(&png, &info, nullptr);
    return false;
  }
  png_set_read_fn(png, &from, detail::png_takes);
  good = detail::decode_mask(png, info, mask, rows, reason);
  png_destroy_read_struct(&png, &info, nullptr);
  return good;
}

/// Into a plane of height x width: of each place the number at its middle, where `fit` shows the
/// picture's.
inline void fit(const Mask& mask, bool crop, std::int64_t height, std::int64_t width,
                std::uint8_t* plane) {
  const Window in = window(mask.height, mask.width, crop, height, width);
  const auto place = [](double from, double length, std::int64_t i, std::int64_t count,
                        std::int64_t old) {
    const double middle =
        from + (static_cast<double>(i) + 0.5) * length / static_cast<double>(count);
    return std::min(old - 1, static_cast<std::int64_t>(middle));
  };
  for (std::int64_t y = 0; y < height; ++y) {
    const std::uint8_t* row =
        mask.numbers.data() + place(in.top, in.down, y, height, mask.height) * mask.width;
    for (std::int64_t x = 0; x < width; ++x)
      plane[y * width + x] = row[place(in.left, in.across, x, width, mask.width)];
  }
}

}  // namespace paribus::pictures
