// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <numeric>
#include <sstream>

#include "journal/journal.h"
#include "journal_bytes.h"

namespace paribus::journal {
namespace {

namespace fs = std::filesystem;

using Values = std::vector<std::uint32_t>;
using Steps = std::vector<std::int64_t>;

class JournalFingerprints : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = fs::temp_directory_path() / fmt::format("paribus_{}_{}.log", test->name(), ::getpid());
  }
  void TearDown() override { fs::remove(path_); }

  /// As a trial writes them: a point and a fingerprint at each step.
  static void write_steps(Writer& log, std::int64_t first, std::int64_t last, std::uint32_t plus) {
    const auto loss = log.series("loss");
    for (std::int64_t step = first; step <= last; ++step) {
      log.point(loss, step, 0.5);
      log.fingerprint(step, static_cast<std::uint32_t>(step) + plus);
    }
  }
  static Values from(std::uint32_t first, std::size_t count) {
    Values values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
  }

  fs::path path_;
};

TEST_F(JournalFingerprints, AreReadBackAndAreNoSeries) {
  {
    Writer log(path_);
    write_steps(log, 1, 100, 0);
    log.fingerprints(64, {{"weight", 7}, {"bias", 8}});
    log.fingerprint(200, 9);  // not the next step
    log.fingerprints(100, {{"weight", 1}, {"bias", 2}});
  }
  const Record record = read(path_);
  EXPECT_EQ(record.tail, Tail::whole);
  EXPECT_EQ(record.points_written, 100U);
  ASSERT_EQ(record.series.size(), 1U);
  Values expected = from(1, 100);
  expected.push_back(9);
  EXPECT_EQ(record.chain.values, expected);
  EXPECT_EQ(record.chain.steps.front(), 1);
  EXPECT_EQ(record.chain.steps.back(), 200);
  EXPECT_EQ(record.chain.tensors, (std::vector<std::string>{"weight", "bias"}));
  EXPECT_EQ(record.chain.full_steps, (Steps{64, 100}));
  EXPECT_EQ(record.chain.full, (Values{7, 8, 1, 2}));
}

TEST_F(JournalFingerprints, TakeFourBytesAStep) {
  constexpr std::int64_t kSteps = 100'000;
  const auto size_with = [this](bool fingerprints) {
    fs::remove(path_);
    {
      Writer log(path_);
      const auto loss = log.series("loss");
      for (std::int64_t step = 1; step <= kSteps; ++step) {
        log.point(loss, step, 0.5);
        if (fingerprints) log.fingerprint(step, 1);
      }
    }
    return static_cast<double>(fs::file_size(path_));
  };
  const double plain = size_with(false), with = size_with(true);
  EXPECT_LT((with - plain) / kSteps, 4.01);
  EXPECT_EQ(read(path_).chain.values.size(), static_cast<std::size_t>(kSteps));
}

TEST_F(JournalFingerprints, NamesAreWrittenOnceAlsoOverTwoOpenings) {
  const std::string name(100, 'n');
  for (int opening = 0; opening < 2; ++opening) {
    Writer log(path_);
    for (int i = 1; i <= 50; ++i) log.fingerprints(opening * 50 + i, {{name, 1}});
  }
  EXPECT_LT(fs::file_size(path_), 100U * (kHeader + 12 + kTrailer) + 200);
  EXPECT_EQ(read(path_).chain.full_steps.size(), 100U);
}

TEST_F(JournalFingerprints, AResumeMakesLaterOnesVoid) {
  {
    Writer log(path_);
    log.event({{"event", "start"}});
    write_steps(log, 1, 10, 0);
    for (const std::int64_t step : {4, 6, 8}) log.fingerprints(step, {{"w", 1}});
  }
  {
    Writer log(path_);
    log.event({{"event", "resume"}, {"step", 6}});
    write_steps(log, 7, 9, 100);
    log.fingerprints(8, {{"w", 2}});
  }
  const Chain chain = read(path_).chain;
  EXPECT_EQ(chain.steps, (Steps{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(chain.values, (Values{1, 2, 3, 4, 5, 6, 107, 108, 109}));
  EXPECT_EQ(chain.full_steps, (Steps{4, 6, 8}));
  EXPECT_EQ(chain.full, (Values{1, 1, 2}));
}

TEST_F(JournalFingerprints, AStepMadeAgainCountsOnce) {
  {
    Writer log(path_);
    write_steps(log, 1, 6, 0);
    log.fingerprints(6, {{"w", 1}});
    log.event({{"event", "resume"}, {"step", 6}});  // the checkpoint stood before the epoch's end
    log.fingerprints(6, {{"w", 2}});
  }
  EXPECT_EQ(read(path_).chain.full_steps, (Steps{6}));
  EXPECT_EQ(read(path_).chain.full, (Values{2}));
}

TEST_F(JournalFingerprints, ASecondStartVoidsAll) {
  {
    Writer log(path_);
    log.event({{"event", "start"}});
    write_steps(log, 1, 6, 0);
    log.fingerprints(6, {{"w", 1}});
    log.event({{"event", "start"}});
    log.fingerprint(1, 5);
  }
  EXPECT_EQ(read(path_).chain.values, (Values{5}));
  EXPECT_TRUE(read(path_).chain.full_steps.empty());
}

TEST_F(JournalFingerprints, OtherTensorsBeginAnew) {
  {
    Writer log(path_);
    log.fingerprints(1, {{"a", 1}});
    log.fingerprints(2, {{"a", 1}, {"b", 2}});
    log.fingerprints(3, {});
    log.fingerprints(4, {{"", 4}});
  }
  const Record record = read(path_);
  EXPECT_EQ(record.tail, Tail::whole);
  EXPECT_EQ(record.chain.tensors, std::vector<std::string>{""});
  EXPECT_EQ(record.chain.full, Values{4});
}

TEST_F(JournalFingerprints, AnEventComesAfterWhatStandsBeforeIt) {
  {
    Writer log(path_);
    log.fingerprint(1, 1);
    log.event({{"event", "resume"}, {"step", 0}});
  }
  EXPECT_TRUE(read(path_).chain.steps.empty());
}

TEST_F(JournalFingerprints, RecordsThatMakeNoSenseEndTheValidPrefix) {
  const std::string last_step = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F";
  for (const std::string& bad :
       {record_of(kChain, ""), record_of(kChain, std::string(9, '\0')),
        record_of(kChain, last_step + std::string(8, '\0')), record_of(kTensors, "\x05"),
        record_of(kTensors, std::string("\x05\0ab", 4)), record_of(kFull, std::string(7, '\0')),
        record_of(kFull, std::string(12, '\0'))}) {  // there are no tensors
    std::ofstream(path_, std::ios::binary) << kMagic << bad << record_of(kEvent, "{}");
    const Record record = read(path_);
    EXPECT_EQ(record.tail, Tail::damaged);
    EXPECT_EQ(record.valid_bytes, kMagic.size());
    EXPECT_TRUE(record.chain.steps.empty());
  }
}

}  // namespace
}  // namespace paribus::journal
