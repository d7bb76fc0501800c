// SPDX-License-Identifier: Apache-2.0
// A journal of 1 MB, as the writer makes it, cut or changed at each of 2,000 offsets: what stands
// before the damage is read, to the last record, and nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <sstream>

#include "journal/format.h"
#include "journal/journal.h"

namespace paribus::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kOffsets = 2000;

/// Where each record ends, and what stands before.
struct Boundary {
  std::size_t at = 0, events = 0, points = 0, series = 0;
};

class JournalCorpus : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = (fs::temp_directory_path() / "paribus-corpus-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder() = name;
    write_big();
    std::ostringstream all;
    all << std::ifstream(folder() / "whole.log", std::ios::binary).rdbuf();
    bytes() = std::move(all).str();
    ASSERT_GE(bytes().size(), 1'000'000U);
    find_boundaries();
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  void SetUp() override {
    path_ = folder() / "t.log";
    std::ofstream(path_, std::ios::binary) << bytes();
    file_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(file_, 0);
  }
  void TearDown() override { ::close(file_); }

  static fs::path& folder() {
    static fs::path path;
    return path;
  }
  static std::string& bytes() {
    static std::string all;
    return all;
  }
  static std::vector<Boundary>& boundaries() {
    static std::vector<Boundary> all;
    return all;
  }

  /// A long trial, killed and resumed twice: series that come late, points of both widths, events
  /// of all sizes.
  static void write_big() {
    Writer log(folder() / "whole.log");
    log.event({{"event", "start"}, {"seed", 3}, {"facts", {{"steps_per_epoch", 100}}}});
    std::mt19937 draw(5);
    for (int step = 1; step <= 39'000; ++step) {
      log.point(log.series("train.batch_loss", "nat"), step, 1.0 / step);
      log.point(log.series("optimizer.lr"), step, 0.125 * (step % 8));
      if (step > 9'000) log.point(log.series("callback.late"), step, -1e300 * step);
      if (step % 80 == 0) log.event({{"event", "checkpoint"}, {"step", step}});
      if (step % 300 == 0)
        log.event({{"event", "message"}, {"text", std::string(draw() % 2000, 'm')}});
      if (step % 12'000 == 0) log.event({{"event", "resume"}, {"step", step - 10}});
    }
    log.event({{"event", "end"}, {"status", "done"}, {"final", {{"valid.loss", 0.5}}}});
  }

  /// By the lengths alone; how many points a record holds is asked of the reader, once, on the
  /// whole file cut there.
  static void find_boundaries() {
    Boundary here{.at = kMagic.size()};
    boundaries().push_back(here);
    while (here.at < bytes().size()) {
      const auto size = load<std::uint32_t>(bytes().data() + here.at);
      const auto type = static_cast<std::uint8_t>(bytes()[here.at + 4]);
      here.events += type == kEvent ? 1 : 0;
      here.series += type == kSeries ? 1 : 0;
      if (type == kPoints) here.points += points_in(here.at + kHeader, size);
      here.at += kHeader + size + kTrailer;
      boundaries().push_back(here);
    }
    ASSERT_EQ(here.at, bytes().size());
    ASSERT_GT(boundaries().size(), 500U);
  }
  static std::size_t points_in(std::size_t at, std::size_t size) {
    const std::size_t end = at + size;
    std::size_t count = 0;
    const auto skip_number = [&] {
      while ((static_cast<unsigned char>(bytes()[at++]) & 0x80) != 0) {
      }
    };
    while (at < end) {
      const bool narrow = (bytes()[at] & 1) != 0;
      skip_number(), skip_number();
      at += narrow ? 4 : 8;
      ++count;
    }
    return count;
  }

  /// The last record that ends at or before `offset`.
  static const Boundary& before(std::size_t offset) {
    auto after = std::upper_bound(
        boundaries().begin(), boundaries().end(), offset,
        [](std::size_t wanted, const Boundary& boundary) { return wanted < boundary.at; });
    return *std::prev(after);
  }
  /// Spread over the file, each at another place within its stretch; every second one from `first`.
  static std::vector<std::size_t> offsets(std::size_t first) {
    std::mt19937 draw(7);
    const std::size_t stretch = (bytes().size() - kMagic.size()) / kOffsets;
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < kOffsets; ++i) {
      const std::size_t offset = kMagic.size() + i * stretch + draw() % stretch;
      if (i % 2 == first) all.push_back(offset);
    }
    return all;
  }
  static void expect_prefix(const Record& record, const Boundary& expected, std::size_t offset) {
    EXPECT_EQ(record.valid_bytes, expected.at) << "offset " << offset;
    EXPECT_EQ(record.events.size(), expected.events) << "offset " << offset;
    EXPECT_EQ(record.series.size(), expected.series) << "offset " << offset;
    EXPECT_EQ(record.points_written, expected.points) << "offset " << offset;
  }
  void put_back(std::size_t from) const {
    const auto rest = bytes().size() - from;
    ASSERT_EQ(::pwrite(file_, bytes().data() + from, rest, static_cast<off_t>(from)),
              static_cast<ssize_t>(rest));
  }

  fs::path path_;
  int file_ = -1;
};

TEST_F(JournalCorpus, CutAtEachOf1000Offsets) {
  auto all = offsets(0);
  for (auto offset = all.rbegin(); offset != all.rend(); ++offset) {  // so that it only shrinks
    ASSERT_EQ(::ftruncate(file_, static_cast<off_t>(*offset)), 0);
    const Record record = read(path_);
    expect_prefix(record, before(*offset), *offset);
    EXPECT_EQ(record.tail, before(*offset).at == *offset ? Tail::whole : Tail::torn) << *offset;
  }
}

TEST_F(JournalCorpus, OneBitChangedAtEachOf1000Others) {
  std::mt19937 draw(11);
  for (const std::size_t offset : offsets(1)) {
    const char changed = static_cast<char>(bytes()[offset] ^ (1 << (draw() % 8)));
    ASSERT_EQ(::pwrite(file_, &changed, 1, static_cast<off_t>(offset)), 1);
    const Record record = read(path_);
    expect_prefix(record, before(offset), offset);
    EXPECT_NE(record.tail, Tail::whole) << offset;
    ASSERT_EQ(::pwrite(file_, &bytes()[offset], 1, static_cast<off_t>(offset)), 1);
  }
  EXPECT_EQ(read(path_).tail, Tail::whole);
}

TEST_F(JournalCorpus, RepairLeavesThePrefixAndKeepsWhatWasDamaged) {
  const fs::path kept = path_.string() + ".cut";
  const std::vector<std::size_t> all = offsets(0);
  for (std::size_t i = 0; i < all.size(); i += 25) {
    const std::size_t offset = all[i];
    const bool cut = i % 50 == 0;
    const char changed = static_cast<char>(bytes()[offset] ^ 4);
    if (cut)
      ASSERT_EQ(::ftruncate(file_, static_cast<off_t>(offset)), 0);
    else
      ASSERT_EQ(::pwrite(file_, &changed, 1, static_cast<off_t>(offset)), 1);
    const Record torn = read(path_);
    const bool damaged = torn.tail == Tail::damaged || torn.torn_bytes > 128 * 1024;
    const std::size_t end = cut ? offset : bytes().size();
    EXPECT_EQ(repair(path_), end - before(offset).at);
    EXPECT_EQ(fs::file_size(path_), before(offset).at);
    const Record record = read(path_);
    expect_prefix(record, before(offset), offset);
    EXPECT_EQ(record.tail, Tail::whole);
    EXPECT_EQ(fs::exists(kept), damaged);
    if (damaged) {
      EXPECT_EQ(fs::file_size(kept), end - before(offset).at);
    }
    fs::remove(kept);
    put_back(before(offset).at);
  }
}

}  // namespace
}  // namespace paribus::journal
