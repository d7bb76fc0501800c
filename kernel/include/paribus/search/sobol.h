// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "paribus/search/points.h"

namespace paribus::search {

/// A primitive polynomial over the integers modulo 2, as the bits of its coefficients, and the odd
/// numbers with which its dimension begins.
struct SobolStart {
  std::uint32_t polynomial;
  std::array<std::uint16_t, 9> numbers;
};

/// Dimensions 2 to 64 of new-joe-kuo-6.21201 (Joe and Kuo 2008).
inline constexpr std::array<SobolStart, 63> kSobolStarts{{
    {3, {1}},
    {7, {1, 3}},
    {11, {1, 3, 1}},
    {13, {1, 1, 1}},
    {19, {1, 1, 3, 3}},
    {25, {1, 3, 5, 13}},
    {37, {1, 1, 5, 5, 17}},
    {41, {1, 1, 5, 5, 5}},
    {47, {1, 1, 7, 11, 19}},
    {55, {1, 1, 5, 1, 1}},
    {59, {1, 1, 1, 3, 11}},
    {61, {1, 3, 5, 5, 31}},
    {67, {1, 3, 3, 9, 7, 49}},
    {91, {1, 1, 1, 15, 21, 21}},
    {97, {1, 3, 1, 13, 27, 49}},
    {103, {1, 1, 1, 15, 7, 5}},
    {109, {1, 3, 1, 15, 13, 25}},
    {115, {1, 1, 5, 5, 19, 61}},
    {131, {1, 3, 7, 11, 23, 15, 103}},
    {137, {1, 3, 7, 13, 13, 15, 69}},
    {143, {1, 1, 3, 13, 7, 35, 63}},
    {145, {1, 3, 5, 9, 1, 25, 53}},
    {157, {1, 3, 1, 13, 9, 35, 107}},
    {167, {1, 3, 1, 5, 27, 61, 31}},
    {171, {1, 1, 5, 11, 19, 41, 61}},
    {185, {1, 3, 5, 3, 3, 13, 69}},
    {191, {1, 1, 7, 13, 1, 19, 1}},
    {193, {1, 3, 7, 5, 13, 19, 59}},
    {203, {1, 1, 3, 9, 25, 29, 41}},
    {211, {1, 3, 5, 13, 23, 1, 55}},
    {213, {1, 3, 7, 3, 13, 59, 17}},
    {229, {1, 3, 1, 3, 5, 53, 69}},
    {239, {1, 1, 5, 5, 23, 33, 13}},
    {241, {1, 1, 7, 7, 1, 61, 123}},
    {247, {1, 1, 7, 9, 13, 61, 49}},
    {253, {1, 3, 3, 5, 3, 55, 33}},
    {285, {1, 3, 1, 15, 31, 13, 49, 245}},
    {299, {1, 3, 5, 15, 31, 59, 63, 97}},
    {301, {1, 3, 1, 11, 11, 11, 77, 249}},
    {333, {1, 3, 1, 11, 27, 43, 71, 9}},
    {351, {1, 1, 7, 15, 21, 11, 81, 45}},
    {355, {1, 3, 7, 3, 25, 31, 65, 79}},
    {357, {1, 3, 1, 1, 19, 11, 3, 205}},
    {361, {1, 1, 5, 9, 19, 21, 29, 157}},
    {369, {1, 3, 7, 11, 1, 33, 89, 185}},
    {391, {1, 3, 3, 3, 15, 9, 79, 71}},
    {397, {1, 3, 7, 11, 15, 39, 119, 27}},
    {425, {1, 1, 3, 1, 11, 31, 97, 225}},
    {451, {1, 1, 1, 3, 23, 43, 57, 177}},
    {463, {1, 3, 7, 7, 17, 17, 37, 71}},
    {487, {1, 3, 1, 5, 27, 63, 123, 213}},
    {501, {1, 1, 3, 5, 11, 43, 53, 133}},
    {529, {1, 3, 5, 5, 29, 17, 47, 173, 479}},
    {539, {1, 3, 3, 11, 3, 1, 109, 9, 69}},
    {545, {1, 1, 1, 5, 17, 39, 23, 5, 343}},
    {557, {1, 3, 1, 5, 25, 15, 31, 103, 499}},
    {563, {1, 1, 1, 11, 11, 17, 63, 105, 183}},
    {601, {1, 1, 5, 11, 9, 29, 97, 231, 363}},
    {607, {1, 1, 5, 15, 19, 45, 41, 7, 383}},
    {617, {1, 3, 7, 7, 31, 19, 83, 137, 221}},
    {623, {1, 1, 1, 3, 23, 15, 111, 223, 83}},
    {631, {1, 1, 5, 13, 31, 15, 55, 25, 161}},
    {637, {1, 1, 3, 13, 25, 47, 39, 87, 257}},
}};

/// Sobol's sequence of points in the unit cube: the first 2^k of them fill it more evenly than
/// random ones, and more points keep the first ones. Scrambled as Owen (1995) does, each by the
/// stream: whether a binary digit flips is random, by the dimension and the digits in front of it.
class Sobol {
 public:
  static constexpr std::int64_t kMostDimensions = kSobolStarts.size() + 1;

  /// Throws Error in the name of `who` where there are more axes than dimensions.
  static void check(const std::string& who, const std::vector<Axis>& axes) {
    check_axes(who, axes);
    if (axes.size() <= static_cast<std::size_t>(kMostDimensions)) return;
    throw Error(who + ": Sobol's sequence is known for " + std::to_string(kMostDimensions) +
                " axes, got " + std::to_string(axes.size()) + "; sweep fewer, or sample at random");
  }

  explicit Sobol(std::size_t dimensions) {
    for (std::size_t i = 0; i < dimensions; ++i) directions_.push_back(directions(i));
  }

  /// Coordinate `dimension` of point `number` in [0, 1).
  [[nodiscard]] double plain(std::int64_t number, std::size_t dimension) const {
    return static_cast<double>(digits(number, dimension)) * 0x1p-32;
  }
  [[nodiscard]] double scrambled(std::int64_t number, std::size_t dimension,
                                 const Stream& stream) const {
    const std::uint32_t given = digits(number, dimension);
    std::uint32_t flips = 0;
    for (int place = 0; place < 32; ++place) {
      // The digits in front with a one before them: every node of the binary tree has a number.
      const std::int64_t node =
          static_cast<std::int64_t>((std::uint64_t{1} << 32 | given) >> (32 - place));
      const bool flip = stream.item(static_cast<std::int64_t>(dimension), node).coin();
      flips = flips << 1 | static_cast<std::uint32_t>(flip);
    }
    return static_cast<double>(given ^ flips) * 0x1p-32;
  }

 private:
  using Directions = std::array<std::uint32_t, 32>;

  /// Gray code order, as Antonov and Saleev (1979) and all libraries have it.
  [[nodiscard]] std::uint32_t digits(std::int64_t number, std::size_t dimension) const {
    const auto gray = static_cast<std::uint32_t>(number ^ (number >> 1));
    std::uint32_t result = 0;
    for (std::size_t bit = 0; bit < 32; ++bit) {
      if ((gray >> bit & 1U) != 0) result ^= directions_[dimension][bit];
    }
    return result;
  }

  static Directions directions(std::size_t dimension) {
    Directions v{};
    if (dimension == 0) {
      for (std::size_t bit = 0; bit < 32; ++bit) v[bit] = std::uint32_t{1} << (31 - bit);
      return v;
    }
    const SobolStart& start = kSobolStarts.at(dimension - 1);
    const auto degree = static_cast<std::size_t>(std::bit_width(start.polynomial)) - 1;
    for (std::size_t bit = 0; bit < 32; ++bit) {
      if (bit < degree) {
        v[bit] = std::uint32_t{start.numbers[bit]} << (31 - bit);
        continue;
      }
      v[bit] = v[bit - degree] ^ (v[bit - degree] >> degree);
      for (std::size_t k = 1; k < degree; ++k) {
        if ((start.polynomial >> (degree - k) & 1U) != 0) v[bit] ^= v[bit - k];
      }
    }
    return v;
  }

  std::vector<Directions> directions_;
};

/// Point `number` of a scrambled Sobol sequence.
inline Point sobol_point(const std::vector<Axis>& axes, const Stream& stream, std::int64_t number) {
  const Sobol sequence(axes.size());
  Point point;
  for (std::size_t i = 0; i < axes.size(); ++i)
    point.push_back(choice_at(axes[i], sequence.scrambled(number, i, stream)));
  return point;
}

}  // namespace paribus::search
