// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace paribus {

/// A sequence of random numbers for one address; equal addresses give equal sequences on every
/// machine. Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), a counter-based generator: nothing is
/// consumed, nothing to save.
class Draws {
 public:
  Draws(std::uint64_t key, std::uint32_t epoch, std::uint64_t place)
      : key_(key), epoch_(epoch), place_(place) {}

  std::uint32_t bits32();
  std::uint64_t bits64() { return (static_cast<std::uint64_t>(bits32()) << 32) | bits32(); }
  /// [0, 1), 53 bits.
  double uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }
  /// [0, n), without bias (Lemire 2019). REQUIRES: n >= 1.
  std::uint32_t below(std::uint32_t n);
  bool coin() { return (bits32() & 1U) != 0; }
  /// N(0, 1), Box-Muller.
  double normal();
  /// Beta(a, b) through two Gamma draws (Marsaglia and Tsang 2000). REQUIRES: a, b > 0.
  double beta(double a, double b);

 private:
  double gamma(double shape);

  std::uint64_t key_;
  std::uint32_t epoch_;
  std::uint64_t place_;
  std::uint32_t block_ = 0;
  std::uint32_t used_ = 4;
  std::array<std::uint32_t, 4> words_{};
};

/// Puts them into an order in which each is as likely as any other (Fisher and Yates, Durstenfeld
/// 1964).
template <class Items>
void shuffle(Draws& draws, Items& items) {
  for (std::size_t i = items.size(); i > 1; --i)
    std::swap(items[i - 1], items[draws.below(static_cast<std::uint32_t>(i))]);
}

/// A part's random numbers, addressed by (seed, part, epoch, item or step): adding a part shifts
/// nobody's draws, and a resumed run needs no replay. Thread-safe: it holds no position.
///
///     Draws draws = stream.item(epoch, batch.items[i]);   // the same for an item, whatever batch
///     it is in const bool flip = draws.coin();
class Stream {
 public:
  Stream() = default;
  Stream(std::uint64_t seed, std::string_view part);

  /// For what is drawn once per item of the data set.
  [[nodiscard]] Draws item(std::int64_t epoch, std::int64_t item) const {
    return at(epoch, item, 0);
  }
  /// For what is drawn once per batch (`step` counts within the epoch), or once per epoch with step
  /// 0.
  [[nodiscard]] Draws step(std::int64_t epoch, std::int64_t step) const {
    return at(epoch, step, 1);
  }
  /// A 64-bit seed for a generator that isn't ours (LibTorch's), for this part and address.
  [[nodiscard]] std::uint64_t seed(std::int64_t epoch, std::int64_t step) const {
    return at(epoch, step, 2).bits64();
  }

 private:
  [[nodiscard]] Draws at(std::int64_t epoch, std::int64_t place, std::uint64_t use) const {
    return {key_, static_cast<std::uint32_t>(epoch),
            static_cast<std::uint64_t>(place) | (use << 62)};
  }

  std::uint64_t key_ = 0;
};

}  // namespace paribus
