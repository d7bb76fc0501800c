// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "../errors.h"
#include "journal/crc32c.h"
#include "journal/format.h"
#include "journal_bytes.h"
#include "paribus/error.h"

namespace paribus::journal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::error_of;

/// A folder of its own for every test.
class Journal : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              ("paribus_" + std::string(test->name()) + "_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    path_ = folder_ / "t.log";
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string bytes() const {
    std::ostringstream all;
    all << std::ifstream(path_, std::ios::binary).rdbuf();
    return all.str();
  }
  void put(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  /// A journal of all kinds of records, and where each record starts.
  std::vector<std::size_t> write_small() {
    std::vector<std::size_t> starts;
    Writer log(path_);
    const auto mark = [&] {
      log.flush();
      starts.push_back(fs::file_size(path_));
    };
    mark();
    log.event({{"event", "start"}, {"seed", 1}});
    mark();
    const auto loss = log.series("train.loss", "nat");
    mark();
    for (int step = 1; step <= 5; ++step) log.point(loss, step, 1.0 / step);
    mark();
    log.event({{"event", "end"}, {"status", "done"}});
    mark();
    return starts;
  }

  fs::path folder_, path_;
};

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(Crc32c, GivesTheKnownValueByInstructionAndByTable) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283);
  EXPECT_EQ(crc32c_by_table("123456789"), 0xE3069283);
  std::string bytes;
  for (int length = 0; length < 300; ++length) {
    EXPECT_EQ(crc32c(bytes), crc32c_by_table(bytes)) << length;
    bytes += static_cast<char>(length * 37 + 11);
  }
}

TEST_F(Journal, ReadsBackWhatWasWritten) {
  const double nan = std::bit_cast<double>(0x7FF4000000001234);  // signalling, with a payload
  const std::vector<double> values{0.0, -0.0, 0.1, 0.5, 1e308, 5e-324, INFINITY, -INFINITY, nan};
  const std::vector<std::int64_t> steps{0,
                                        1,
                                        2,
                                        -7,
                                        std::numeric_limits<std::int64_t>::max(),
                                        std::numeric_limits<std::int64_t>::min(),
                                        4,
                                        5,
                                        6};
  {
    Writer log(path_);
    const auto a = log.series("train.loss", "nat"), b = log.series("valid.accuracy");
    EXPECT_EQ(log.series("train.loss", "nat"), a);
    for (std::size_t i = 0; i < values.size(); ++i) log.point(i % 2 ? b : a, steps[i], values[i]);
    log.event({{"event", "message"}, {"text", "hello"}});
  }
  const Record record = read(path_);
  EXPECT_EQ(record.tail, Tail::whole);
  EXPECT_EQ(record.problem, "");
  EXPECT_EQ(record.points_written, values.size());
  ASSERT_EQ(record.series.size(), 2U);
  EXPECT_EQ(record.series[0].unit, "nat");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Series& series = record.series[i % 2];
    EXPECT_EQ(series.steps[i / 2], steps[i]);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(series.values[i / 2]),
              std::bit_cast<std::uint64_t>(values[i]));
  }
  EXPECT_EQ(record.last("message")->at("text"), "hello");
  EXPECT_EQ(record.last("end"), nullptr);
  EXPECT_EQ(record.find("valid.accuracy")->values.size(), 4U);
  EXPECT_EQ(record.find("nothing"), nullptr);
}

TEST_F(Journal, KeepsMillionsOfPointsInFewBytes) {
  constexpr int kPoints = 1'000'000;
  {
    Writer log(path_);
    const auto loss = log.series("train.loss");
    for (int step = 0; step < kPoints; ++step)
      log.point(loss, step, static_cast<float>(step) * 0.25F);
  }
  EXPECT_LT(fs::file_size(path_), 7U * kPoints);
  const Record record = read(path_);
  ASSERT_EQ(record.series.at(0).values.size(), static_cast<std::size_t>(kPoints));
  EXPECT_EQ(record.series[0].values.back(), (kPoints - 1) * 0.25);
  EXPECT_EQ(record.series[0].steps.back(), kPoints - 1);
}

TEST_F(Journal, GoesOnWhereItWasClosed) {
  {
    Writer log(path_);
    log.point(log.series("a", "s"), 1, 1.5);
  }
  {
    Writer log(path_);
    EXPECT_EQ(log.torn_bytes(), 0U);
    EXPECT_EQ(log.series("b"), 1U);
    EXPECT_EQ(log.series("a", "s"), 0U);
    log.point(0, 2, 2.5);
  }
  const Record record = read(path_);
  ASSERT_EQ(record.series.size(), 2U);
  EXPECT_EQ(record.series[0].values, (std::vector<double>{1.5, 2.5}));
}

TEST_F(Journal, CutAnywhereGivesItsLongestValidPrefix) {
  const auto starts = write_small();
  const std::string whole = bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put(whole.substr(0, size));
    const Record record = read(path_);
    std::size_t valid = 0, records = 0;
    for (std::size_t i = 0; i < starts.size(); ++i) {
      if (starts[i] <= size) valid = starts[i], records = i;
    }
    ASSERT_EQ(record.valid_bytes, valid) << size;
    EXPECT_EQ(record.torn_bytes, size - valid);
    EXPECT_EQ(record.tail, size == valid ? Tail::whole : Tail::torn) << size;
    EXPECT_EQ(record.events.size(), (records >= 1 ? 1U : 0U));
    EXPECT_EQ(record.points_written, records >= 3 ? 5U : 0U);
  }
}

TEST_F(Journal, ChangedAnywhereGivesWhatStandsBefore) {
  const auto starts = write_small();
  const std::string whole = bytes();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    put(changed);
    if (bit / 8 < kMagic.size()) {
      EXPECT_THROW(read(path_), Error);
      continue;
    }
    std::size_t valid = 0;
    for (const std::size_t start : starts) {
      if (start <= bit / 8) valid = start;
    }
    const Record record = read(path_);
    ASSERT_EQ(record.valid_bytes, valid) << bit;
    EXPECT_NE(record.tail, Tail::whole);
    EXPECT_FALSE(record.problem.empty());
  }
}

TEST_F(Journal, WriterCutsATornTailAndSaysHowMuch) {
  write_small();
  const std::string whole = bytes();
  put(whole.substr(0, whole.size() - 3));
  const std::size_t torn = read(path_).torn_bytes;
  ASSERT_GT(torn, 0U);
  {
    Writer log(path_);
    EXPECT_EQ(log.torn_bytes(), torn);
    log.event({{"event", "end"}, {"status", "done"}});
  }
  EXPECT_EQ(bytes(), whole);
}

TEST_F(Journal, WriterStartsAnewWhereOnlyPartOfTheHeadIsThere) {
  put("pari");
  EXPECT_EQ(read(path_).tail, Tail::torn);
  Writer log(path_);
  EXPECT_EQ(log.torn_bytes(), 4U);
  EXPECT_EQ(bytes(), kMagic);
}

TEST_F(Journal, LeavesAFileThatIsNoJournalAsItIs) {
  put("dear diary, today I");
  expect_contains(error_of([&] { Writer log(path_); }),
                  "is not a journal: its first bytes are not 'paribus'");
  EXPECT_EQ(bytes(), "dear diary, today I");
  put(std::string("paribus\x02", 8));
  expect_contains(error_of([&] { read(path_); }), "has format version 2, this program reads 1");
}

TEST_F(Journal, SaysWhyItCantBeRead) {
  expect_contains(error_of([&] { read(path_); }), "can't open: No such file or directory");
  expect_contains(error_of([&] { read(folder_); }), "is not a regular file");
  expect_contains(error_of([&] { Writer log(folder_ / "no" / "t.log"); }),
                  "can't open: No such file");
}

TEST_F(Journal, HasOneWriter) {
  EXPECT_FALSE(has_writer(path_));
  {
    Writer log(path_);
    EXPECT_TRUE(has_writer(path_));
    expect_contains(error_of([&] { Writer second(path_); }),
                    "another process is writing it; wait for it or stop it");
  }
  EXPECT_FALSE(has_writer(path_));
}

TEST_F(Journal, RefusesWhatIsNoSeries) {
  Writer log(path_);
  log.series("a", "s");
  expect_contains(error_of([&] { log.series("a", "ms"); }),
                  "series 'a' has the unit 's', got 'ms'");
  expect_contains(error_of([&] { log.series(""); }), "has 1 to 4096 bytes");
  expect_contains(error_of([&] { log.series(std::string(5000, 'x')); }), "got 5000");
  expect_contains(error_of([&] { log.point(1, 0, 0); }), "point of series 1, which is not defined");
}

TEST_F(Journal, PointsAfterTheStepOfAResumeDoNotCount) {
  {
    Writer log(path_);
    const auto loss = log.series("loss"), other = log.series("other");
    for (int step = 1; step <= 6; ++step) log.point(loss, step, step);
    log.point(other, 2, 0.5);
    log.event({{"event", "resume"}, {"step", 3}});
    for (int step = 4; step <= 5; ++step) log.point(loss, step, 10 * step);
  }
  const Record record = read(path_);
  EXPECT_EQ(record.find("loss")->values, (std::vector<double>{1, 2, 3, 40, 50}));
  EXPECT_EQ(record.find("loss")->steps, (std::vector<std::int64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(record.find("other")->values, (std::vector<double>{0.5}));
  EXPECT_EQ(record.points_written, 9U);
}

TEST_F(Journal, AStepMadeAgainAfterAResumeCountsOnce) {
  {
    Writer log(path_);
    const auto accuracy = log.series("valid.accuracy");
    log.point(accuracy, 10, 0.5);
    log.point(accuracy, 20, 0.6);
    log.event({{"event", "resume"}, {"step", 20}});
    log.point(accuracy, 20, 0.6);  // the checkpoint stood before the validation
    log.point(accuracy, 30, 0.7);
    log.point(accuracy, 30, 0.8);  // two points of one step, as a callback may record, both count
  }
  EXPECT_EQ(read(path_).series[0].values, (std::vector<double>{0.5, 0.6, 0.7, 0.8}));
}

TEST_F(Journal, ASecondStartVoidsAllButAResumeAfterItDecides) {
  {
    Writer log(path_);
    const auto loss = log.series("loss");
    log.event({{"event", "start"}});
    log.point(loss, 1, 1);
    log.point(loss, 2, 2);
    log.event({{"event", "start"}});
    log.event({{"event", "resume"}, {"step", 1}});
    log.point(loss, 2, 3);
  }
  EXPECT_EQ(read(path_).series[0].values, (std::vector<double>{1, 3}));
  {
    Writer log(path_);
    log.event({{"event", "start"}});
    log.point(0, 2, 9);
  }
  EXPECT_EQ(read(path_).series[0].values, (std::vector<double>{9}));
}

TEST_F(Journal, RecordsThatMakeNoSenseEndTheValidPrefix) {
  const std::string series = record_of(kSeries, std::string("\x01\0", 2) + "a");
  const std::string overlong(11, '\xFF');
  const std::vector<std::string> bad{
      record_of(0, ""),
      record_of(9, "x"),
      record_of(kEvent, "{"),
      record_of(kEvent, "[1]"),
      record_of(kEvent, ""),
      record_of(kEvent, std::string(100'000, '[')),
      record_of(kSeries, ""),
      record_of(kSeries, std::string(2, '\0')),
      record_of(kSeries, std::string("\xFF\xFF", 2) + "name"),
      series,                                                           // defined twice
      record_of(kPoints, std::string("\x02\x02\0\0\0\0\0\0\0\0", 10)),  // of the second series
      record_of(kPoints, std::string("\0\0\1", 3)),
      record_of(kPoints, overlong)};
  for (const std::string& one : bad) {
    put(std::string(kMagic) + series + one + record_of(kEvent, "{}"));
    const Record record = read(path_);
    EXPECT_EQ(record.valid_bytes, kMagic.size() + series.size());
    EXPECT_EQ(record.tail, Tail::damaged);
    EXPECT_EQ(record.problem, "a record's checksum fits but its contents make no sense");
    EXPECT_EQ(record.points_written, 0U);
  }
}

TEST_F(Journal, ARecordThatClaimsGigabytesTakesNoMemory) {
  put(std::string(kMagic) + std::string("\xFF\xFF\xFF\xFF\x01", 5) + "abcdefgh");
  EXPECT_EQ(read(path_).problem, "a record claims 4294967295 bytes");
  put(std::string(kMagic) + std::string("\xFF\xFF\xFF\x0F\x01", 5) + "abcdefgh");
  EXPECT_EQ(read(path_).problem, "the last record is cut short");
}

TEST_F(Journal, WhatWasFlushedSurvivesSigkill) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    Writer log(path_);
    const auto loss = log.series("loss");
    for (int step = 0; step < 1000; ++step) log.point(loss, step, step);
    log.event({{"event", "checkpoint"}, {"step", 999}});
    log.point(loss, 1000, 1000);  // in the buffer
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_TRUE(has_writer(path_));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_FALSE(has_writer(path_));
  const Record record = read(path_);
  EXPECT_EQ(record.tail, Tail::whole);
  EXPECT_EQ(record.find("loss")->values.size(), 1000U);
  EXPECT_EQ(record.last("checkpoint")->at("step"), 999);
}

TEST_F(Journal, APointReachesTheFileWithinASecondOfLogging) {
  Writer log(path_);
  const auto loss = log.series("loss");
  log.point(loss, 1, 1);
  EXPECT_EQ(read(path_).points_written, 0U);
  ::usleep(1'100'000);
  log.point(loss, 2, 2);
  EXPECT_EQ(read(path_).points_written, 2U);
}

TEST_F(Journal, AFullDiskLeavesWholeRecordsAndGoesOnWhenThereIsRoomAgain) {
  Writer log(path_);
  const auto loss = log.series("loss");
  log.event({{"event", "start"}});
  const auto size = fs::file_size(path_);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{size + 10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  for (int step = 0; step < 10; ++step) log.point(loss, step, 0.1);
  const std::string message = error_of([&] { log.flush(); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  expect_contains(message, "can't write: File too large");
  EXPECT_EQ(fs::file_size(path_), size);
  log.flush();
  EXPECT_EQ(read(path_).find("loss")->values.size(), 10U);
  EXPECT_EQ(read(path_).tail, Tail::whole);
}

TEST_F(Journal, AMessageThatIsNoUtf8IsKeptReadable) {
  { Writer(path_).event({{"event", "message"}, {"text", "bad \xFF byte"}}); }
  EXPECT_EQ(read(path_).last("message")->at("text"), "bad \xEF\xBF\xBD byte");
}

TEST_F(Journal, RepairCutsAndKeepsWhatWasDamaged) {
  const auto starts = write_small();
  std::string changed = bytes();
  changed[starts[3] + 8] ^= 1;
  put(changed);
  EXPECT_EQ(repair(path_), changed.size() - starts[3]);
  EXPECT_EQ(bytes(), changed.substr(0, starts[3]));
  EXPECT_EQ(repair(path_), 0U);
  path_ += ".cut";
  EXPECT_EQ(bytes(), changed.substr(starts[3]));
}

}  // namespace
}  // namespace paribus::journal
