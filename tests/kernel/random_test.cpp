// SPDX-License-Identifier: Apache-2.0
#include "paribus/random.h"

#include <ATen/core/PhiloxRNGEngine.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <vector>

namespace paribus {
namespace {

using Words = std::array<std::uint32_t, 4>;

template <class Source>
Words four(Source&& source) {
  Words words{};
  for (std::uint32_t& word : words) word = source();
  return words;
}
Words four(Draws draws) {
  return four([&] { return draws.bits32(); });
}

// Known answers of philox4x32-10 in Random123's kat_vectors. A fresh sequence of ours has 0 as the
// first word of its counter, which the first vector has too; LibTorch's engine, which can start
// anywhere, must know all three and agree with ours at any address.
TEST(Random, PhiloxKnowsTheKnownAnswers) {
  EXPECT_EQ(four(Draws(0, 0, 0)), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(four(at::Philox4_32(0, 0, 0)), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(four(at::Philox4_32(~0ULL, ~0ULL, ~0ULL)),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(four(at::Philox4_32(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88)),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, PhiloxIsThatOfLibTorchAtAnyAddress) {
  Draws addresses(5, 0, 0);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t key = addresses.bits64();
    const std::uint32_t epoch = addresses.bits32();
    const std::uint64_t place = addresses.bits64();
    Draws ours(key, epoch, place);
    at::Philox4_32 theirs(key, place, static_cast<std::uint64_t>(epoch) << 32);
    for (int n = 0; n < 11; ++n) ASSERT_EQ(ours.bits32(), theirs()) << i << ' ' << n;
  }
}

TEST(Random, AddressesNotOrderDecide) {
  const Stream stream(3, "callback.mixup");
  std::vector<std::uint64_t> forwards, backwards;
  for (int item = 0; item < 50; ++item) forwards.push_back(stream.item(2, item).bits64());
  for (int item = 49; item >= 0; --item) backwards.push_back(stream.item(2, item).bits64());
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(forwards, backwards);
}

TEST(Random, EveryPartOfTheAddressCounts) {
  const Stream stream(3, "a");
  const std::set<std::uint64_t> first{
      stream.item(0, 0).bits64(),         stream.item(1, 0).bits64(),
      stream.item(0, 1).bits64(),         stream.step(0, 0).bits64(),
      stream.step(0, 1).bits64(),         stream.seed(0, 0),
      Stream(4, "a").item(0, 0).bits64(), Stream(3, "b").item(0, 0).bits64(),
      Stream(3, "").item(0, 0).bits64()};
  EXPECT_EQ(first.size(), 9U);
}

TEST(Random, NeighbouringSeedsShareNothing) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Draws draws = Stream(seed, "data.shuffle").step(0, 0);
    for (int i = 0; i < 4; ++i) seen.insert(draws.bits64());
  }
  EXPECT_EQ(seen.size(), 4000U);
}

struct Moments {
  double mean = 0, variance = 0, least = INFINITY, greatest = -INFINITY;
};
Moments moments(const std::function<double()>& draw, int n = 200'000) {
  Moments m;
  double squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = draw();
    m.mean += x / n, squares += x * x / n;
    m.least = std::min(m.least, x), m.greatest = std::max(m.greatest, x);
  }
  m.variance = squares - m.mean * m.mean;
  return m;
}

TEST(Random, UniformHasItsMoments) {
  Draws draws(1, 2, 3);
  const Moments m = moments([&] { return draws.uniform(); });
  EXPECT_NEAR(m.mean, 0.5, 5 * std::sqrt(1.0 / 12 / 200'000));
  EXPECT_NEAR(m.variance, 1.0 / 12, 0.001);
  EXPECT_GE(m.least, 0);
  EXPECT_LT(m.greatest, 1);
}

TEST(Random, NormalHasItsMoments) {
  Draws draws(1, 2, 4);
  const Moments m = moments([&] { return draws.normal(); });
  EXPECT_NEAR(m.mean, 0, 5 / std::sqrt(200'000));
  EXPECT_NEAR(m.variance, 1, 0.02);
  EXPECT_GT(m.greatest, 3.5);
  EXPECT_LT(m.greatest, 9);
}

TEST(Random, BetaHasItsMomentsAndBounds) {
  for (const auto& [a, b] : {std::pair{0.4, 0.4}, {2.0, 5.0}, {1.0, 1.0}}) {
    Draws draws(9, 0, static_cast<std::uint64_t>(a * 10));
    const Moments m = moments([&, a = a, b = b] { return draws.beta(a, b); }, 50'000);
    const double variance = a * b / ((a + b) * (a + b) * (a + b + 1));
    EXPECT_NEAR(m.mean, a / (a + b), 5 * std::sqrt(variance / 50'000));
    EXPECT_NEAR(m.variance, variance, 0.03 * variance + 0.001);
    EXPECT_GE(m.least, 0);
    EXPECT_LE(m.greatest, 1);
  }
  Draws draws(9, 1, 0);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(std::isnan(draws.beta(1e-9, 1e-9)));
}

TEST(Random, BelowIsWithinBoundsAndEven) {
  Draws draws(2, 0, 0);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts[draws.below(7)];
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 1e4) * (count - 1e4) / 1e4;
  EXPECT_LT(chi_square, 22.5);  // 6 degrees of freedom: p = 0.001
  EXPECT_EQ(draws.below(1), 0U);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(draws.below(0xFFFFFFFF), 0xFFFFFFFF);
}

TEST(Random, ShufflesReachAllOrdersEvenly) {
  std::map<std::vector<int>, int> counts;
  for (std::uint64_t place = 0; place < 24'000; ++place) {
    std::vector<int> order{0, 1, 2, 3};
    Draws draws(11, 0, place);
    shuffle(draws, order);
    ++counts[order];
  }
  ASSERT_EQ(counts.size(), 24U);
  double chi_square = 0;
  for (const auto& [order, count] : counts) chi_square += (count - 1e3) * (count - 1e3) / 1e3;
  EXPECT_LT(chi_square, 49.7);  // 23 degrees of freedom: p = 0.001
}

TEST(Random, CoinsAreFair) {
  const Stream stream(0, "flip");
  int heads = 0;
  for (int item = 0; item < 10'000; ++item) heads += stream.item(0, item).coin() ? 1 : 0;
  EXPECT_NEAR(heads, 5000, 5 * 50);
}

}  // namespace
}  // namespace paribus
