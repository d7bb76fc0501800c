// SPDX-License-Identifier: Apache-2.0
// A journal on a disk that fills up.
#include <sys/stat.h>

#include "journal/journal.h"
#include "paribus/error.h"
#include "small_disk.h"

namespace paribus::journal {
namespace {

using test::SmallDisk;

/// Logs until there is no room; the text of the NoSpace.
std::string log_until_full(Writer& log) {
  const auto loss = log.series("loss");
  try {
    for (int step = 0; step < 10'000'000; ++step) log.point(loss, step, 0.1 + step);
  } catch (const NoSpace& problem) {
    return problem.what();
  }
  return "";
}

TEST(JournalRoom, AFullDiskIsToldAndTheLastWordsAreWritten) {
  const SmallDisk disk(512 * 1024);
  const auto path = disk / "t.log";
  std::size_t points = 0;
  {
    Writer log(path);
    log.event({{"event", "start"}});
    const std::string text = log_until_full(log);
    EXPECT_NE(text.find("journal " + path.string() + ": can't write: " + disk.reason() + " ("),
              std::string::npos)
        << text;
    EXPECT_NE(text.find(" free there); what was written before is whole: "), std::string::npos)
        << text;
    EXPECT_THROW(log.event({{"event", "more"}, {"text", std::string(300'000, 'x')}}), NoSpace);
    const Record record = read(path);
    EXPECT_EQ(record.tail, Tail::whole);
    points = record.points_written;
    EXPECT_GT(points, 10'000U);
    disk.fill();
    log.last_words({{"event", "end"}, {"status", "stopped"}, {"message", std::string(4000, 'm')}});
    log.sync();
  }
  const Record record = read(path);
  EXPECT_EQ(record.tail, Tail::whole);
  EXPECT_EQ(record.points_written, points);
  ASSERT_NE(record.last("end"), nullptr);
  EXPECT_EQ(record.events.back().at("status"), "stopped");
  disk.empty();
}

TEST(JournalRoom, GoesOnWhereRoomWasMade) {
  const SmallDisk disk(512 * 1024);
  const auto path = disk / "t.log";
  {
    Writer log(path);
    disk.fill();
    EXPECT_NE(log_until_full(log), "");
    log.last_words({{"event", "end"}, {"status", "stopped"}});
  }
  disk.empty();
  Writer log(path);
  EXPECT_EQ(log.torn_bytes(), 0U);
  log.point(log.series("loss"), 1, 0.5);
  log.event({{"event", "end"}, {"status", "done"}});
  const Record record = read(path);
  EXPECT_EQ(record.points_written, record.find("loss")->values.size());
  EXPECT_EQ(record.events.back().at("status"), "done");
}

TEST(JournalRoom, ADiskThatIsFullFromTheStartIsTold) {
  const SmallDisk disk(64 * 1024);
  disk.fill();
  if (std::string(disk.reason()) == "File too large") return;  // the filler takes no other's room
  EXPECT_THROW(Writer(disk / "t.log"), NoSpace);
  EXPECT_EQ(std::filesystem::file_size(disk / "t.log"), 0U);
}

TEST(JournalRoom, WhatIsKeptFreeIsGivenBack) {
  const SmallDisk disk(1024 * 1024);
  const auto path = disk / "t.log";
  const auto blocks = [&] {
    struct stat facts {};
    ::stat(path.c_str(), &facts);
    return facts.st_blocks * 512;
  };
  {
    Writer log(path);
    log.event({{"event", "start"}});
    EXPECT_LT(std::filesystem::file_size(path), 100U) << "readers don't see it";
    EXPECT_GE(blocks(), 8 * 1024) << "it is kept";
  }
  EXPECT_LE(blocks(), 4096);
}

TEST(JournalRoom, WhoeverIsAskedBeforehandCanForbidAWrite) {
  const SmallDisk disk(1024 * 1024);
  Writer log(disk / "t.log");
  log.event({{"event", "start"}});
  std::size_t asked = 0;
  log.ask_before_writing([&](std::size_t bytes) {
    asked += bytes;
    throw NoSpace("study: enough");
  });
  log.point(log.series("loss"), 1, 0.5);
  EXPECT_THROW(log.flush(), NoSpace);
  EXPECT_GT(asked, 10U);
  EXPECT_EQ(read(disk / "t.log").points_written, 0U);
  log.last_words({{"event", "end"}, {"status", "stopped"}});
  EXPECT_EQ(read(disk / "t.log").events.size(), 2U);
}

}  // namespace
}  // namespace paribus::journal
