// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ops/empty.h>
#include <paribus/images.h>
#include <paribus/transform.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace paribus::geometry {

/// Where a pixel of the new image comes from: (x, y, 1) of the new one times this is a place in the
/// old one, up to a factor. Both are measured in pixels from the image's middle, x to the right, y
/// down. `a * b` asks b first: what is to happen to the image first stands first.
struct Matrix {
  Origin m = kUnmoved;

  [[nodiscard]] bool operator==(const Matrix& other) const = default;
  [[nodiscard]] Matrix operator*(const Matrix& other) const {
    Matrix result{{}};
    for (std::size_t row = 0; row < 3; ++row) {
      for (std::size_t column = 0; column < 3; ++column) {
        for (std::size_t k = 0; k < 3; ++k)
          result.m[3 * row + column] += m[3 * row + k] * other.m[3 * k + column];
      }
    }
    return result;
  }
};

/// By so many degrees, counter-clockwise.
inline Matrix rotation(double degrees) {
  const double angle = degrees * 3.14159265358979323846 / 180;
  const double c = std::cos(angle), s = std::sin(angle);
  return {{c, -s, 0, s, c, 0, 0, 0, 1}};
}
/// By a factor, about a place that stays where it is.
inline Matrix zoom(double factor, double x, double y) {
  return {{1 / factor, 0, x - x / factor, 0, 1 / factor, y - y / factor, 0, 0, 1}};
}
inline Matrix shift(double x, double y) { return {{1, 0, -x, 0, 1, -y, 0, 0, 1}}; }
/// Rows move to the side by their distance from the middle times the angle's tangent.
inline Matrix shear(double degrees) {
  return {{1, -std::tan(degrees * 3.14159265358979323846 / 180), 0, 0, 1, 0, 0, 0, 1}};
}
/// As seen from aside: places are divided by 1 + x u + y v, u and v from -1 to 1 over the image.
inline Matrix perspective(double x, double y, ImageSize size) {
  return {{1, 0, 0, 0, 1, 0, 2 * x / static_cast<double>(size.width),
           2 * y / static_cast<double>(size.height), 1}};
}

/// What lies outside the image.
enum class Outside : std::uint8_t { reflect, border, zero };

inline Outside outside(std::string_view mode) {
  if (mode == "border") return Outside::border;
  return mode == "zero" ? Outside::zero : Outside::reflect;
}

namespace detail {

/// Back into 0..last; reflected about the middles of the edge pixels.
inline double inside(double place, double last, Outside outside) {
  if (outside == Outside::reflect && (place < 0 || place > last)) {
    if (last == 0) return 0;
    place = std::fmod(std::abs(place), 2 * last);
    if (place > last) place = 2 * last - place;
  }
  return std::clamp(place, 0.0, last);
}

/// Four pixels and their weights along one row of the new image.
struct Row {
  explicit Row(std::int64_t width)
      : corner(static_cast<std::size_t>(4 * width)), weight(corner.size()) {}
  std::vector<std::int64_t> corner;  // offsets within a plane
  std::vector<float> weight;
};

/// `nearest`: the first of the four has all the weight.
inline void find(Row& row, const Matrix& matrix, ImageSize size, std::int64_t y, Outside outside,
                 bool nearest) {
  const auto& m = matrix.m;
  const double last_x = static_cast<double>(size.width - 1);
  const double last_y = static_cast<double>(size.height - 1);
  const double v = static_cast<double>(y) - last_y / 2;
  for (std::int64_t x = 0; x < size.width; ++x) {
    const double u = static_cast<double>(x) - last_x / 2;
    const double depth = m[6] * u + m[7] * v + m[8];
    double from_x = (m[0] * u + m[1] * v + m[2]) / depth + last_x / 2;
    double from_y = (m[3] * u + m[4] * v + m[5]) / depth + last_y / 2;
    const double edge = nearest ? 0.5 : 1.0;
    const bool gone =
        outside == Outside::zero &&
        (from_x <= -edge || from_y <= -edge || from_x >= last_x + edge || from_y >= last_y + edge);
    // Between the last pixel and nothing, zero mode fades: weights of pixels outside are dropped.
    const bool fades = outside == Outside::zero && !nearest;
    if (!fades) {
      from_x = inside(from_x, last_x, outside);
      from_y = inside(from_y, last_y, outside);
    }
    if (nearest) from_x = std::floor(from_x + 0.5), from_y = std::floor(from_y + 0.5);
    const double left = std::floor(from_x), top = std::floor(from_y);
    const double right_share = from_x - left, bottom_share = from_y - top;
    const std::array<double, 4> share{(1 - right_share) * (1 - bottom_share),
                                      right_share * (1 - bottom_share),
                                      (1 - right_share) * bottom_share, right_share * bottom_share};
    for (std::size_t k = 0; k < 4; ++k) {
      const double px = left + static_cast<double>(k % 2), py = top + static_cast<double>(k / 2);
      const bool there = px >= 0 && px <= last_x && py >= 0 && py <= last_y;
      const auto place = 4 * static_cast<std::size_t>(x) + k;
      row.corner[place] = there && !gone ? static_cast<std::int64_t>(py) * size.width +
                                               static_cast<std::int64_t>(px)
                                         : 0;
      row.weight[place] = there && !gone ? static_cast<float>(share[k]) : 0.0F;
    }
  }
}

template <class T>
T rounded(float value) {
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    return static_cast<T>(std::clamp(value + 0.5F, 0.0F, 255.0F));
  } else {
    return static_cast<T>(value);
  }
}

template <class T>
void blend(const Row& row, const T* plane, T* target, std::int64_t width) {
  for (std::int64_t x = 0; x < width; ++x) {
    const std::int64_t* corner = row.corner.data() + 4 * x;
    const float* weight = row.weight.data() + 4 * x;
    float sum = 0;
    for (int k = 0; k < 4; ++k) sum += weight[k] * static_cast<float>(plane[corner[k]]);
    target[x] = rounded<T>(sum);
  }
}

template <class T>
void pick(const Row& row, const T* plane, T* target, std::int64_t width) {
  for (std::int64_t x = 0; x < width; ++x)
    target[x] = row.weight[4 * static_cast<std::size_t>(x)] > 0
                    ? plane[row.corner[4 * static_cast<std::size_t>(x)]]
                    : T{};
}

}  // namespace detail

/// One item of `from`, seen through the matrix, into the same item of `to`. Both N C H W and
/// contiguous, of one type. Images are interpolated between four pixels, `nearest` takes one.
inline void resample(const at::Tensor& from, const at::Tensor& to, std::int64_t item,
                     const Matrix& matrix, Outside outside, bool nearest) {
  const ImageSize size{from.size(2), from.size(3)};
  const std::int64_t plane = size.height * size.width;
  detail::Row row(size.width);
  for (std::int64_t y = 0; y < size.height; ++y) {
    detail::find(row, matrix, size, y, outside, nearest);
    const auto each_channel = [&](auto* element, auto make) {
      using Element = std::remove_pointer_t<decltype(element)>;
      const auto* source =
          static_cast<const Element*>(from.const_data_ptr()) + item * from.stride(0);
      auto* target = static_cast<Element*>(to.data_ptr()) + item * to.stride(0) + y * size.width;
      for (std::int64_t c = 0; c < from.size(1); ++c)
        make(row, source + c * plane, target + c * plane, size.width);
    };
    if (nearest) {
      by_element_size(from, [&](auto* element) {
        using Element = std::remove_pointer_t<decltype(element)>;
        each_channel(element, detail::pick<Element>);
      });
    } else if (from.scalar_type() == at::kByte) {
      each_channel(static_cast<std::uint8_t*>(nullptr), detail::blend<std::uint8_t>);
    } else {
      each_channel(static_cast<float*>(nullptr), detail::blend<float>);
    }
  }
}

/// Every item's images, masks, points and boxes through the item's matrix, `matrix_of(draws,
/// size)`; with that of no change an item keeps its bits. Masks take the nearest pixel.
template <class MatrixOf>
void apply(Batch& batch, const Stream& stream, Outside outside, MatrixOf matrix_of) {
  const ImageSize size = image_size(batch);
  std::vector<Origin> origins;
  for (const std::int64_t item : batch.items) {
    Draws draws = stream.item(batch.epoch, item);
    origins.push_back(matrix_of(draws, size).m);
  }
  move_places(batch, size, size, origins);
  each_image(batch, [&](at::Tensor data, const Type& type) {
    const bool nearest = type.is(kMask);
    if (!nearest && data.scalar_type() != at::kByte) data = data.to(at::kFloat);
    at::Tensor result;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const Matrix matrix{origins[static_cast<std::size_t>(i)]};
      if (matrix == Matrix{}) continue;
      if (!result.defined()) result = data.clone();
      resample(data, result, i, matrix, outside, nearest);
    }
    return result.defined() ? result : data;
  });
}

/// From -most to most.
inline double symmetric(Draws& draws, double most) { return most * (2 * draws.uniform() - 1); }

}  // namespace paribus::geometry
