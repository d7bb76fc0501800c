// SPDX-License-Identifier: Apache-2.0
// What callbacks record that is more than a number.
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "paribus/callback.h"
#include "parts.h"

namespace paribus::test {
namespace {

std::function<void(Fit&)> act;  // by Show, after the first step

struct Show : Callback {
  struct Params {
    static constexpr auto fields() { return std::tuple{}; }
  } params;
  static constexpr auto touches() { return Touches<0, 0>{{}, {}}; }
  void after_step(Fit& fit) override {
    if (fit.step == 1) act(fit);
  }
};

class Shown : public ::testing::Test {
 protected:
  struct Kept final : Recorder {
    void point(std::string_view, std::int64_t, double) override {}
    void message(std::string_view) override {}
    void flush() override {}
    void resumed(std::int64_t) override {}
    void checkpointed(std::int64_t, const std::string&) override {}
    Wish progress(std::int64_t, std::int64_t, std::int64_t, double) override { return Wish::go_on; }
    void histogram(std::string_view name, std::int64_t step, const Histogram& values) override {
      histograms.emplace_back(std::string(name) + "@" + std::to_string(step), values);
    }
    void picture(std::string_view name, std::int64_t step, const Pixels& pixels) override {
      pictures.emplace_back(std::string(name) + "@" + std::to_string(step), pixels.height,
                            pixels.width, pixels.channels, pixels.bytes);
    }
    void table(std::string_view name, std::int64_t step, const Columns& columns) override {
      tables.emplace_back(std::string(name) + "@" + std::to_string(step), columns);
    }
    std::vector<std::pair<std::string, Columns>> tables;
    std::vector<std::pair<std::string, Histogram>> histograms;
    std::vector<std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t, std::string>>
        pictures;
  };

  Shown() {
    factory_.add<Show>("show");
    spec_ = small_trial();
    spec_.train.epochs = 1;
    spec_.callbacks.push_back(part("callback", "show"));
  }
  void fit(std::function<void(Fit&)> what) {
    act = std::move(what);
    kept_ = {};
    Trainer(spec_, dots_, factory_, kept_, {}).fit();
  }
  Histogram spread(const at::Tensor& values, std::int64_t bins) {
    fit([&](Fit& now) { now.histogram("it", values, bins); });
    EXPECT_EQ(kept_.histograms.size(), 1U);
    EXPECT_EQ(kept_.histograms.front().first, "it@1");
    return kept_.histograms.front().second;
  }

  Factory factory_;
  Dots dots_;
  TrialSpec spec_;
  Kept kept_;
};

using Counts = std::vector<std::uint64_t>;

TEST_F(Shown, AHistogramCountsEachNumberOnce) {
  const Histogram values = spread(at::tensor({0.0, 1.0, 1.9, 2.0, 4.0, 3.999}).view({2, 3}), 4);
  EXPECT_EQ(std::tie(values.low, values.high), std::make_tuple(0.0, 4.0));
  EXPECT_EQ(values.counts, (Counts{1, 2, 1, 2}));  // each from its lower end on; the last with both
  EXPECT_DOUBLE_EQ(values.sum, 12.899);
  EXPECT_DOUBLE_EQ(values.squares, 1 + 1.9 * 1.9 + 4 + 16 + 3.999 * 3.999);
  EXPECT_EQ(values.not_finite, 0U);
}

TEST_F(Shown, OfOneNumberOrNoneThereIsAHistogramToo) {
  EXPECT_EQ(spread(at::full({5}, 0.1), 3).counts, (Counts{5, 0, 0}));
  const Histogram none = spread(at::zeros({0}), 2);
  EXPECT_EQ(none.counts, (Counts{0, 0}));
  EXPECT_EQ(std::tie(none.low, none.high), std::make_tuple(0.0, 0.0));
  const double most = std::numeric_limits<double>::max(), tiny = 5e-324;
  EXPECT_EQ(spread(at::tensor({-most, most, 0.0}), 2).counts.front(), 3U);  // too wide to divide
  EXPECT_EQ(spread(at::tensor({0.0, tiny}), 2).counts.front(), 2U);         // too narrow
}

TEST_F(Shown, WhatIsNotFiniteIsCountedApart) {
  const double inf = std::numeric_limits<double>::infinity();
  const Histogram values = spread(at::tensor({inf, -inf, std::nan(""), 1.0, 2.0}), 2);
  EXPECT_EQ(values.not_finite, 3U);
  EXPECT_EQ(values.counts, (Counts{1, 1}));
  EXPECT_EQ(values.sum, 3);
}

TEST_F(Shown, APictureKeepsItsForm) {
  const at::Tensor colour = at::tensor({1, 2, 3, 4, 5, 6}, at::kByte).view({1, 2, 3});
  fit([&](Fit& now) {
    now.picture("a", colour);
    now.picture("b", colour.select(2, 1));  // strided
  });
  ASSERT_EQ(kept_.pictures.size(), 2U);
  EXPECT_EQ(kept_.pictures[0], std::make_tuple("a@1", 1, 2, 3, "\1\2\3\4\5\6"));
  EXPECT_EQ(kept_.pictures[1], std::make_tuple("b@1", 1, 2, 1, "\2\5"));
}

TEST_F(Shown, WhatCannotBeShownIsSaid) {
  const auto error = [&](const std::function<void(Fit&)>& what) {
    return test::error_of([&] { fit(what); });
  };
  const at::Tensor numbers = at::zeros({2, 2});
  EXPECT_TEXT(error([&](Fit& now) { now.histogram("it", numbers, 0); }), "1 to 4096 bins, got 0");
  EXPECT_TEXT(error([&](Fit& now) { now.histogram("", numbers); }), "a name of 1 to 1024 bytes");
  EXPECT_TEXT(error([&](Fit& now) { now.picture("it", numbers); }), "picture 'it': wants a uint8");
  EXPECT_TEXT(error([&](Fit& now) {
                now.picture("it", at::zeros({5000, 1}, at::kByte));
              }),
              "1 to 4096 points a side");
}

TEST_F(Shown, ATableIsHandedOnAsItIs) {
  const Columns columns{{"number", std::vector<double>{0.5, std::nan("")}},
                        {"whole", std::vector<std::int64_t>{-1, 2}},
                        {"text", std::vector<std::string>{"a", ""}}};
  fit([&](Fit& now) {
    now.table("it", columns);
    now.table("empty", {{"a", std::vector<double>{}}});
  });
  ASSERT_EQ(kept_.tables.size(), 2U);
  const auto& [name, got] = kept_.tables.front();
  EXPECT_EQ(name, "it@1");
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[1].name, "whole");
  EXPECT_EQ(got[1].values, columns[1].values);
  EXPECT_EQ(got[2].values, columns[2].values);
}

TEST_F(Shown, ATableThatIsNoneIsRefused) {
  using Numbers = std::vector<double>;
  using Texts = std::vector<std::string>;
  const auto error = [&](const Columns& columns) {
    return test::error_of([&] { fit([&](Fit& now) { now.table("it", columns); }); });
  };
  EXPECT_TEXT(error({}), "table 'it': has 1 to 100 columns, got 0");
  EXPECT_TEXT(error({{"a", Numbers{1}}, {"b", Numbers{}}}),
              "column 'b' has 0 rows, expected as many as 'a': 1");
  EXPECT_TEXT(error({{"a", Numbers{1}}, {"a", Numbers{2}}}), "has two columns 'a'");
  EXPECT_TEXT(error({{"", Numbers{1}}}), "a column has a name of 1 to 256 bytes");
  EXPECT_TEXT(error({{std::string("a\0b", 3), Numbers{1}}}), "other than NUL");
  EXPECT_TEXT(error({{"a", Numbers(600'000)}}), "has 4800000 bytes, at most 4194304 are kept");
  // A text takes the room of the longest.
  EXPECT_TEXT(error({{"a", Texts{std::string(2'100'000, 'x'), ""}}}), "has 4200000 bytes");
}

}  // namespace
}  // namespace paribus::test
