// SPDX-License-Identifier: Apache-2.0
#include "paribus/random.h"

#include <cmath>
#include <numbers>

namespace paribus {
namespace {

struct HighLow {
  std::uint32_t high, low;
};

HighLow multiply(std::uint32_t a, std::uint32_t b) {
  const std::uint64_t product = static_cast<std::uint64_t>(a) * b;
  return {static_cast<std::uint32_t>(product >> 32), static_cast<std::uint32_t>(product)};
}

/// Philox4x32 with ten rounds: constants of the paper's reference implementation (Random123).
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const HighLow a = multiply(0xD2511F53U, counter[0]);
    const HighLow b = multiply(0xCD9E8D57U, counter[2]);
    counter = {b.high ^ counter[1] ^ key0, b.low, a.high ^ counter[3] ^ key1, a.low};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

/// SplitMix64's finalizer: every bit of the input reaches every bit of the output.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

}  // namespace

std::uint32_t Draws::bits32() {
  if (used_ == 4) {
    words_ = philox({block_++, epoch_, static_cast<std::uint32_t>(place_),
                     static_cast<std::uint32_t>(place_ >> 32)},
                    key_);
    used_ = 0;
  }
  return words_[used_++];
}

std::uint32_t Draws::below(std::uint32_t n) {
  std::uint64_t product = static_cast<std::uint64_t>(bits32()) * n;
  auto low = static_cast<std::uint32_t>(product);
  if (low < n) {
    const std::uint32_t threshold = (0U - n) % n;
    while (low < threshold) {
      product = static_cast<std::uint64_t>(bits32()) * n;
      low = static_cast<std::uint32_t>(product);
    }
  }
  return static_cast<std::uint32_t>(product >> 32);
}

double Draws::normal() {
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

double Draws::gamma(double shape) {
  if (shape < 1) {
    const double boost = std::pow(1 - uniform(), 1 / shape);
    return gamma(shape + 1) * boost;
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = normal();
    const double v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log1p(-uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double Draws::beta(double a, double b) {
  const double x = gamma(a);
  const double y = gamma(b);
  return x + y > 0 ? x / (x + y) : 0.5;  // both underflow for tiny a and b
}

Stream::Stream(std::uint64_t seed, std::string_view part) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a over the address, then mixed with the seed
  for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  key_ = mix(mix(seed + 0x9E3779B97F4A7C15ULL) ^ hash);
}

}  // namespace paribus
