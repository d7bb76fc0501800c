// SPDX-License-Identifier: Apache-2.0
// Histograms and pictures in a journal.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "../errors.h"
#include "journal/journal.h"
#include "uplink/batch.h"

namespace paribus::journal {
namespace {

namespace fs = std::filesystem;

class JournalShown : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = fs::temp_directory_path() / fmt::format("paribus_{}_{}.log", test->name(), ::getpid());
  }
  void TearDown() override { fs::remove(path_); }

  static Histogram spread(std::uint64_t first) { return {-1, 2, 0.5, 0.25, 1, {first, 0, 3}}; }
  static void show(Writer& log, std::int64_t step) {
    log.point(log.series("loss"), step, 0.5);
    log.histogram("weights", step, spread(static_cast<std::uint64_t>(step)));
    log.picture("valid", step, fmt::format("PNG of {}", step));
    log.table("valid", step, table(step));
  }
  static Columns table(std::int64_t step) {
    return {{"whole", std::vector<std::int64_t>{step, -1}},
            {"number", std::vector<double>{0.5, 1e300}},
            {"text", std::vector<std::string>{"", std::string("a\0\xFF", 3)}}};
  }
  [[nodiscard]] std::vector<std::int64_t> steps() const {
    const Record record = read(path_);
    std::vector<std::int64_t> all;
    EXPECT_EQ(record.histograms.size(), record.pictures.size());
    EXPECT_EQ(record.tables.size(), record.pictures.size());
    for (std::size_t i = 0; i < record.pictures.size(); ++i) {
      const std::int64_t step = record.pictures[i].step;
      EXPECT_EQ(record.histograms[i].step, step);
      EXPECT_EQ(record.histograms[i].values.counts.front(), static_cast<std::uint64_t>(step));
      EXPECT_EQ(picture_in(path_, record.pictures[i]), fmt::format("PNG of {}", step));
      EXPECT_EQ(std::get<1>(record.tables.at(i).columns.at(0).values).front(), step);
      all.push_back(step);
    }
    return all;
  }

  fs::path path_;
};

using Steps = std::vector<std::int64_t>;

TEST_F(JournalShown, IsReadBack) {
  {
    Writer log(path_);
    for (const std::int64_t step : {1, 2, 3}) show(log, step);
  }
  EXPECT_EQ(steps(), (Steps{1, 2, 3}));
  const Record record = read(path_);
  const Histogram& values = record.histograms.front().values;
  EXPECT_EQ(record.histograms.front().name, "weights");
  EXPECT_EQ(std::tie(values.low, values.high, values.sum, values.squares),
            std::make_tuple(-1.0, 2.0, 0.5, 0.25));
  EXPECT_EQ(values.not_finite, 1U);
  EXPECT_EQ(values.counts, (std::vector<std::uint64_t>{1, 0, 3}));
  EXPECT_EQ(record.tail, Tail::whole);
}

TEST_F(JournalShown, WhatAResumedTrialMakesAgainCountsOnce) {
  {
    Writer log(path_);
    log.event({{"event", "start"}});
    for (const std::int64_t step : {1, 2, 3}) show(log, step);
    log.event({{"event", "resume"}, {"step", 2}});
    EXPECT_EQ(steps(), (Steps{1, 2}));
    for (const std::int64_t step : {2, 3, 4}) show(log, step);  // its own step, too
  }
  EXPECT_EQ(steps(), (Steps{1, 2, 3, 4}));
  Writer log(path_);
  log.event({{"event", "start"}});
  show(log, 1);
  EXPECT_EQ(steps(), (Steps{1}));
}

TEST_F(JournalShown, ABatchHoldsOneKindAndMissesNone) {
  {
    Writer log(path_);
    log.event({{"event", "start"}, {"time", 1.0}});
    for (const std::int64_t step : {1, 2}) show(log, step);
    log.event({{"event", "end"}, {"status", "done"}});
  }
  uplink::Position position;
  std::string kinds;
  while (true) {
    uplink::Batch batch = uplink::read_batch(path_, position, 1000);
    if (batch.next.at == position.at) break;
    if (!batch.points.empty()) kinds += 'p';
    if (!batch.histograms.empty()) kinds += 'h';
    if (!batch.pictures.empty()) kinds += 'i';
    if (batch.end) kinds += 'e';
    kinds += ' ';
    position = batch.next;
  }
  EXPECT_EQ(kinds, "p h i p h i e ");
}

TEST_F(JournalShown, ABatchOfPicturesIsBounded) {
  const std::string large(std::size_t{3} << 20, 'x');
  {
    Writer log(path_);
    for (std::int64_t step = 1; step <= 4; ++step) log.picture("valid", step, large);
    EXPECT_TEXT(test::error_of([&] {
                  log.picture("valid", 5, std::string((std::size_t{16} << 20) + 1, 'x'));
                }),
                "at most 16777216");
    log.point(log.series("loss"), 5, 1);
  }
  const uplink::Batch batch = uplink::read_batch(path_, {}, 1000);
  EXPECT_EQ(batch.pictures.size(), 2U);
  EXPECT_EQ(uplink::read_batch(path_, batch.next, 1000).pictures.size(), 2U);
  EXPECT_EQ(read(path_).series.front().values.size(), 1U);
}

TEST_F(JournalShown, WhatIsCutShortIsNone) {
  std::size_t whole = 0;
  {
    Writer log(path_);
    show(log, 1);
    log.flush();
    whole = fs::file_size(path_);
    show(log, 2);
  }
  fs::resize_file(path_, fs::file_size(path_) - 3);
  EXPECT_EQ(read(path_).tail, Tail::torn);
  EXPECT_EQ(read(path_).pictures.size(), 2U);
  EXPECT_EQ(read(path_).tables.size(), 1U);
  fs::resize_file(path_, whole);
  EXPECT_EQ(steps(), (Steps{1}));
}

TEST_F(JournalShown, ATableIsReadBack) {
  {
    Writer log(path_);
    log.table("valid", 7, table(7));
    log.table("empty", 7, {{"a", std::vector<double>{}}});
  }
  const Record record = read(path_);
  ASSERT_EQ(record.tables.size(), 2U);
  const NamedTable& got = record.tables.front();
  EXPECT_EQ(std::tie(got.name, got.step), std::make_tuple("valid", 7));
  const Columns expected = table(7);
  ASSERT_EQ(got.columns.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(got.columns[i].name, expected[i].name);
    EXPECT_EQ(got.columns[i].values, expected[i].values);
  }
}

/// What no trainer hands on, a journal doesn't have either.
TEST_F(JournalShown, ATableThatIsNoneDamages) {
  const std::vector<Columns> none{
      {{"a", std::vector<double>{1}}, {"a", std::vector<double>{1}}},
      {{"a", std::vector<double>{1}}, {"b", std::vector<double>{}}},
      {{std::string("a\0", 2), std::vector<double>{1}}},
      {{std::string(257, 'a'), std::vector<double>{1}}},
      {{"a", std::vector<std::string>{std::string(std::size_t{9} << 20, 'x'), ""}}}};
  for (const Columns& columns : none) {
    fs::remove(path_);
    {
      Writer log(path_);
      log.table("valid", 1, columns);
    }
    const Record record = read(path_);
    EXPECT_EQ(record.tail, Tail::damaged);
    EXPECT_TRUE(record.tables.empty());
  }
}

}  // namespace
}  // namespace paribus::journal
