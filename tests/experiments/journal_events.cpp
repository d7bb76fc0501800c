// SPDX-License-Identifier: Apache-2.0
// Readers that keep less of a journal than `read` does must end where it ends.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "journal/events.h"
#include "journal/journal.h"

namespace paribus::journal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class JournalEvents : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "paribus-events-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = fs::path(pattern) / "x.log";
    Writer log(path_);
    log.event({{"event", "start"}});
    const auto loss = log.series("train.loss", "nat");
    for (int step = 1; step < 20; ++step) log.point(loss, step, 1.0 / step);
    log.event({{"event", "message"}, {"text", "half"}});
    log.event({{"event", "end"}, {"status", "done"}});
  }
  void TearDown() override { fs::remove_all(path_.parent_path()); }

  [[nodiscard]] std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {(std::istreambuf_iterator<char>(in)), {}};
  }
  void put(std::string_view bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  /// Both readers against `read`.
  void compare(const std::string& what) const {
    const Record record = read(path_);
    EventReader reader(path_);
    std::vector<json> events;
    for (json event; reader.next(event);) events.push_back(event);
    EXPECT_EQ(events, record.events) << what;
    EXPECT_EQ(reader.tail(), record.tail) << what;
    EXPECT_EQ(reader.problem(), record.problem) << what;
    EXPECT_EQ(reader.offset(), record.valid_bytes) << what;
    EXPECT_EQ(reader.unread(), record.torn_bytes) << what;
    const Record lean = read_without_events(path_);
    EXPECT_TRUE(lean.events.empty());
    EXPECT_EQ(lean.valid_bytes, record.valid_bytes) << what;
    EXPECT_EQ(lean.points_written, record.points_written) << what;
  }

  fs::path path_;
};

TEST_F(JournalEvents, EndWhereAllElseEndsWhereverItIsCutOrDamaged) {
  compare("whole");
  const std::string whole = bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    put(std::string_view(whole).substr(0, at));
    compare("cut at " + std::to_string(at));
    if (at < 8) continue;  // another file altogether
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    put(flipped);
    compare("flipped at " + std::to_string(at));
  }
}

TEST_F(JournalEvents, AreTakenUpWhereAnEarlierReaderStopped) {
  EventReader first(path_);
  json event;
  while (first.next(event)) {
  }
  Writer(path_).event({{"event", "resume"}, {"step", 3}});
  EventReader second(path_, first.offset());
  ASSERT_TRUE(second.next(event));
  EXPECT_EQ(event["step"], 3);
  EXPECT_FALSE(second.next(event));
  EXPECT_EQ(second.offset(), fs::file_size(path_));
  EXPECT_EQ(second.taken().size(), fs::file_size(path_) - first.offset());
}

TEST_F(JournalEvents, OfWhatIsNoJournalAreRefused) {
  put("something else");
  try {
    const EventReader reader(path_);
    FAIL() << "nothing was thrown";
  } catch (const std::exception& error) {
    EXPECT_EQ(std::string(error.what()), "journal " + path_.string() +
                                             ": is not a journal: its first bytes are not "
                                             "'paribus'");
  }
}

}  // namespace
}  // namespace paribus::journal
