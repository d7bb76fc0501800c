// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "../errors.h"
#include "journal/journal.h"
#include "machine/gpus.h"
#include "machine/readings.h"
#include "machine/sampler.h"
#include "uplink/system_log.h"

namespace paribus::machine {
namespace {

namespace fs = std::filesystem;

/// A /proc and a /sys that say what a test wants.
class MachineTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / ("machine_" + std::string(test->name()));
    fs::remove_all(root_);
    fs::create_directories(root_ / "journal");
    say("proc/meminfo", "MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:  250 kB\n");
    say("proc/loadavg", "0.50 0.40 0.30 1/100 1234\n");
    ticks(100, 900);
  }
  void TearDown() override { fs::remove_all(root_); }

  void say(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  void ticks(int busy, int idle) const {
    say("proc/stat", "cpu  " + std::to_string(busy) + " 0 0 " + std::to_string(idle) +
                         " 0 0 0 0 0 0\ncpu0 1 2 3 4\n");
  }
  void process(int pid, int parent, int ticks_used, int pages, const char* state = "S",
               int started = 5) const {
    say("proc/" + std::to_string(pid) + "/stat",
        std::to_string(pid) + " (a) b (c) " + state + " " + std::to_string(parent) +
            " 1 1 0 -1 0 0 0 0 0 " + std::to_string(ticks_used) + " 0 0 0 20 0 1 0 " +
            std::to_string(started) + " 1000 " + std::to_string(pages) + " 0 0\n");
  }
  static double value(const std::vector<Reading>& all, const std::string& name) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Reading& one) { return one.name == name; });
    return found == all.end() ? -1 : found->value;
  }
  [[nodiscard]] journal::Record log() const { return journal::read(log_path(root_)); }

  fs::path root_;
};

TEST_F(MachineTest, SharesAndSumsAreSinceTheFirstReading) {
  say("proc/diskstats", "8 0 sda 1 0 10 0 1 0 20 0 0 0 0\n8 1 sda1 9 0 999 0 9 0 999 0 0 0 0\n");
  fs::create_directories(root_ / "sys/block/sda/device");
  say("proc/net/dev",
      "Inter-|\n face |bytes\n lo: 9 0 0 0 0 0 0 0 9 0\neth0: 100 0 0 0 0 0 0 0 7 0\n");
  Machine machine(root_, root_);
  const auto first = machine.read();
  EXPECT_EQ(value(first, "cpu"), -1);  // nothing to compare with yet
  EXPECT_EQ(value(first, "memory"), 750 * 1024);
  EXPECT_EQ(value(first, "load"), 0.5);
  EXPECT_EQ(value(first, "disk.read"), 0);
  EXPECT_GT(value(first, "disk.free"), 0);
  ticks(150, 950);
  say("proc/diskstats", "8 0 sda 1 0 12 0 1 0 23 0 0 0 0\n");
  say("proc/net/dev", "eth0:150 0 0 0 0 0 0 0 9 0\n");
  const auto second = machine.read();
  EXPECT_EQ(value(second, "cpu"), 50);
  EXPECT_EQ(value(second, "disk.read"), 2 * 512);
  EXPECT_EQ(value(second, "disk.written"), 3 * 512);
  EXPECT_EQ(value(second, "network.received"), 50);
  EXPECT_EQ(value(second, "network.sent"), 2);
}

TEST_F(MachineTest, EnergyIsThatOfWholeProcessorsOverTheEndOfTheirCounts) {
  const fs::path zones = "sys/class/powercap";
  const auto joules = [&](const std::string& zone, const std::string& name, int micro) {
    fs::create_directories(root_ / zones / zone);
    std::ofstream(root_ / zones / zone / "name") << name << '\n';
    std::ofstream(root_ / zones / zone / "energy_uj") << micro << '\n';
    std::ofstream(root_ / zones / zone / "max_energy_range_uj") << "10000000\n";
  };
  const auto read = [&](int first, int second, int others) {
    joules("intel-rapl:0", "package-0", first);
    joules("intel-rapl:1", "package-1", second);
    joules("intel-rapl:0:0", "core", others);          // a part of the first
    joules("intel-rapl:2", "psys", others);            // both, and what is around them
    joules("intel-rapl-mmio:0", "package-0", others);  // the first again
  };
  read(9000000, 500000, 1);
  Machine machine(root_, root_);
  EXPECT_EQ(value(machine.read(), "energy"), 0);
  read(1000000, 2000000, 900000);  // the first is full, and begun anew
  EXPECT_DOUBLE_EQ(value(machine.read(), "energy"), 2 + 1.5);
  fs::remove_all(root_ / zones);
  EXPECT_EQ(value(machine.read(), "energy"), -1);
}

TEST_F(MachineTest, WhatCannotBeReadIsLeftOut) {
  fs::remove_all(root_ / "proc");
  Machine machine(root_ / "none", root_);
  EXPECT_TRUE(machine.read().empty());
  say("proc/stat", "nonsense\n");
  say("proc/meminfo", "MemTotal: much\n");
  say("proc/diskstats", std::string(5000, 'x'));
  say("proc/net/dev", ":::\n\n:");
  EXPECT_TRUE(machine.read().empty());
  EXPECT_FALSE(process_of(""));
  EXPECT_FALSE(process_of("1 (x) S 1"));
  EXPECT_FALSE(process_of("1 (x S 1 2 3"));
}

TEST_F(MachineTest, AProcessCountsWithAllBelowIt) {
  process(10, 1, 100, 5);
  process(11, 10, 50, 3);
  process(12, 11, 25, 1);
  process(20, 1, 999, 999);
  say("proc/10/io", "rchar: 5\nread_bytes: 100\nwrite_bytes: 7\n");
  say("proc/11/io", "read_bytes: 10\nwrite_bytes: 1\n");
  say("proc/12/io", "read_bytes: 1\nwrite_bytes: 0\n");
  const auto all = processes(root_);
  ASSERT_EQ(all.size(), 4U);
  const Use use = use_of(10, all, root_);
  EXPECT_DOUBLE_EQ(use.seconds, 175.0 / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  EXPECT_EQ(use.resident, 9.0 * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(use.read, 111);
  EXPECT_EQ(use.written, 8);
  fs::remove(root_ / "proc/12/io");  // another user's, say
  EXPECT_FALSE(use_of(10, all, root_).read);
}

TEST_F(MachineTest, ProcessesThatAreTheirOwnParentsEnd) {
  process(10, 11, 1, 1);
  process(11, 10, 1, 1);
  EXPECT_EQ(use_of(10, processes(root_), root_).resident,
            2.0 * static_cast<double>(::sysconf(_SC_PAGESIZE)));
}

TEST_F(MachineTest, ARealProcessIsSeen) {
  const auto all = processes();
  ASSERT_TRUE(all.contains(::getpid()));
  EXPECT_EQ(all.at(::getpid()).parent, ::getppid());
  EXPECT_GT(use_of(::getpid(), all).resident, 1e5);
}

TEST_F(MachineTest, SamplesAreAJournalBySecondsAndTrials) {
  process(10, 1, 0, 5);
  {
    Sampler sampler(root_, 15, 1000.25, root_);
    sampler.sample(1000.25);
    sampler.begin("abc", 10, 1001);
    sampler.begin("gone", 99, 1001);
    sampler.begin("../evil", 10, 1001);
    sampler.begin("none", -1, 1001);
    process(10, 1, static_cast<int>(::sysconf(_SC_CLK_TCK)), 5);
    sampler.sample(1003.5);
    sampler.sample(1003.6);  // in the same second: times of samples differ all the same
    sampler.end("abc");
    sampler.sample(1010.25);
  }
  const journal::Record record = log();
  EXPECT_EQ(record.last("start")->at("time"), 1000.25);
  const journal::Series* load = record.find("load");
  ASSERT_NE(load, nullptr);
  EXPECT_EQ(load->steps, (std::vector<std::int64_t>{0, 3, 4, 10}));
  const journal::Series* cpu = record.find("trials/abc/cpu");
  ASSERT_NE(cpu, nullptr);
  EXPECT_EQ(cpu->steps, (std::vector<std::int64_t>{3, 4}));
  EXPECT_DOUBLE_EQ(cpu->values[0], 100 * 1 / 2.5);
  EXPECT_EQ(cpu->unit, "%");
  EXPECT_EQ(record.find("trials/gone/cpu"), nullptr);
  for (const journal::Series& one : record.series)
    EXPECT_EQ(one.name.find(".."), std::string::npos);
}

TEST_F(MachineTest, WhoeverReadsMeanwhileHasAllOfASampleOrNone) {
  process(10, 1, 0, 5);
  {
    Sampler sampler(root_, 15, 1000, root_);
    sampler.begin("abc", 10, 1000);
    for (int i = 1; i <= 2; ++i) {
      sampler.sample(1000 + i);
      std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // points written singly go out
    }
    sampler.sample(1003);
  }
  std::ifstream in(log_path(root_), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  const fs::path part = root_ / "part.log";
  std::set<std::size_t> lengths;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::ofstream(part, std::ios::binary) << whole.substr(0, size);
    const uplink::Batch batch = uplink::read_batch(part, {}, 1000);
    std::map<std::int64_t, std::size_t> of_step;
    for (const uplink::BatchPoint& point : batch.points) ++of_step[point.step];
    for (const auto& [step, count] : of_step) lengths.insert(count);
  }
  EXPECT_EQ(lengths.size(), 1U);
}

TEST_F(MachineTest, AnotherProcessOfThatNumberIsNoTrial) {
  process(10, 1, 0, 5);
  Sampler sampler(root_, 15, 1000, root_);
  sampler.begin("abc", 10, 1000);
  sampler.sample(1001);
  process(10, 1, 7, 5, "S", 6);  // began at another time
  sampler.sample(1002);
  process(10, 1, 7, 5, "Z");
  sampler.sample(1003);
  EXPECT_EQ(log().find("trials/abc/memory")->steps, (std::vector<std::int64_t>{1}));
}

TEST_F(MachineTest, AStudyThatIsRunAgainGoesOnInItsFile) {
  process(10, 1, 0, 5);
  say("proc/10/io", "read_bytes: 100\nwrite_bytes: 7\n");
  const fs::path zone = "sys/class/powercap/intel-rapl:0";
  fs::create_directories(root_ / zone);
  say(zone / "name", "package-0\n");
  const auto joules = [&](int count) {
    say(zone / "energy_uj", std::to_string(count * 1'000'000));
  };
  joules(5);
  {
    Sampler sampler(root_, 15, 1000, root_);
    sampler.begin("abc", 10, 1000);
    sampler.sample(1002);
    joules(8);
    sampler.sample(1005);
  }
  joules(50);
  Sampler sampler(root_, 15, 900, root_);  // a clock that went back
  sampler.begin("abc", 10, 900);
  sampler.sample(901);
  joules(51);
  sampler.sample(902);
  const journal::Record record = log();
  const journal::Series* read = record.find("trials/abc/read");
  EXPECT_EQ(read->steps, (std::vector<std::int64_t>{2, 5, 6, 7}));
  EXPECT_EQ(read->values, (std::vector<double>{100, 100, 200, 200}));
  EXPECT_EQ(record.find("energy")->values, (std::vector<double>{0, 3, 3, 4}))
      << "what others took in between isn't the study's";
  EXPECT_EQ(record.last("start")->at("time"), 1000);
}

TEST_F(MachineTest, OneWriterAndNoForeignFile) {
  const Sampler first(root_, 15, 1000, root_);
  EXPECT_TEXT(test::error_of([&] { Sampler(root_, 15, 1000, root_); }),
              "another process is writing");
  fs::create_directories(root_ / "other/journal");
  std::ofstream(root_ / "other/journal/system.log") << "something else, not a journal";
  EXPECT_TEXT(test::error_of([&] { Sampler(root_ / "other", 15, 1000, root_); }),
              "is not a journal");
}

TEST_F(MachineTest, NoLibraryNoGpus) {
  const Gpus gpus("libthere-is-none.so.9");
  EXPECT_TRUE(gpus.read().empty());
  EXPECT_TRUE(gpus.facts().is_null());
  const Gpus other("libm.so.6");  // a library, but not that one
  EXPECT_TRUE(other.read().empty());
}

TEST(MachineNames, OfTrialsAndOfTheMachine) {
  EXPECT_EQ(series_name("cpu").trial, "");
  EXPECT_EQ(series_name("gpu.0.power").name, "gpu.0.power");
  EXPECT_EQ(series_name("trials/abc/cpu").trial, "abc");
  EXPECT_EQ(series_name("trials/abc/cpu").name, "cpu");
  EXPECT_EQ(series_name("trials/abc").trial, "");
}

/// What trackers get of it.
class SystemLogTest : public MachineTest {
 protected:
  void SetUp() override {
    MachineTest::SetUp();
    journal::Writer log(log_path(root_));
    log.event({{"event", "start"}, {"time", 1000.5}});
    const auto load = log.series("load"), a = log.series("trials/a/cpu", "%"),
               b = log.series("trials/b/cpu", "%");
    for (int step = 0; step < 1000; ++step) {
      log.point(load, step, step);
      if (step >= 100 && step < 900) log.point(a, step, step + 0.5);
      if (step >= 899) log.point(b, step, 1);
      if (step % 100 == 99) log.flush();
    }
  }
};

TEST_F(SystemLogTest, ATrialGetsTheMachinesSamplesOfItsOwnTime) {
  uplink::SystemLog log(root_);
  const uplink::SystemBatch all = log.of("a", 0, 1'000'000, 0);
  ASSERT_EQ(all.points.size(), 1600U);
  EXPECT_EQ(all.started, 1000.5);
  EXPECT_EQ(all.until, 1899);
  EXPECT_EQ(all.points[0].metric, "system/load");
  EXPECT_EQ(all.points[0].step, 100);
  EXPECT_EQ(all.points[1].metric, "system/trial.cpu");
  EXPECT_EQ(all.points[1].unit, "%");
  EXPECT_EQ(all.points[1].value, 100.5);
  EXPECT_EQ(log.of("b", 0, 1'000'000, 0).points.size(), 202U);
  EXPECT_TRUE(log.of("c", 0, 1'000'000, 0).points.empty());
  EXPECT_TRUE(log.of("", 0, 1'000'000, 0).points.empty());
}

TEST_F(SystemLogTest, BatchesAreWholeSamplesAndComeAgainAsTheyWere) {
  uplink::SystemLog log(root_);
  std::size_t points = 0;
  std::int64_t after = 0, calls = 0;
  while (true) {
    const uplink::SystemBatch batch = log.of("a", after, 7, 0);
    if (batch.points.empty()) break;
    EXPECT_EQ(batch.points.size() % 2, 0U);
    uplink::SystemLog another(root_);
    if (calls++ % 50 == 0) {
      EXPECT_EQ(another.of("a", after, 1, batch.until).points.size(), batch.points.size());
    }
    points += batch.points.size();
    after = batch.until;
  }
  EXPECT_EQ(points, 1600U);
}

TEST_F(SystemLogTest, ASampleMayStandInSeveralRecords) {
  fs::remove(log_path(root_));
  {
    journal::Writer log(log_path(root_));
    log.event({{"event", "start"}, {"time", 1000.0}});
    const auto load = log.series("load"), a = log.series("trials/a/cpu");
    for (int step = 0; step < 2001; ++step) {
      for (const auto series : {load, a, a + 0}) {
        log.point(series, step, step);
        log.flush();
      }
    }
  }
  uplink::SystemLog log(root_);
  EXPECT_EQ(log.of("a", 0, 1'000'000, 0).points.size(), 3 * 2001U);
}

TEST_F(SystemLogTest, ItIsReadOnAsItGrows) {
  uplink::SystemLog log(root_);
  EXPECT_EQ(log.of("b", 0, 1'000'000, 0).until, 1999);
  {
    journal::Writer writer(log_path(root_));
    writer.point(writer.series("trials/b/cpu", "%"), 1000, 2);
    writer.point(writer.series("trials/b/new"), 1000, 3);
  }
  const uplink::SystemBatch more = log.of("b", 1999, 1'000'000, 0);
  ASSERT_EQ(more.points.size(), 2U);
  EXPECT_EQ(more.points[1].metric, "system/trial.new");
}

TEST_F(SystemLogTest, WhatIsNoneOrDamagedHoldsNothing) {
  uplink::SystemLog none(root_ / "nowhere");
  EXPECT_TRUE(none.of("a", 0, 10, 0).points.empty());
  std::ofstream(log_path(root_)) << "something else, not a journal";
  uplink::SystemLog other(root_);
  EXPECT_TRUE(other.of("a", 0, 10, 0).points.empty());
  fs::remove(log_path(root_));
  {
    journal::Writer log(log_path(root_));
    log.event({{"event", "start"}, {"time", 1e300}});
    log.point(log.series("trials/a/cpu"), 5, 1);
  }
  uplink::SystemLog mad(root_);
  EXPECT_TRUE(mad.of("a", 0, 10, 0).points.empty());
}

TEST_F(SystemLogTest, StepsThatAreNoneAreLetGo) {
  fs::remove(log_path(root_));
  {
    journal::Writer log(log_path(root_));
    log.event({{"event", "start"}, {"time", 1000.0}});
    const auto cpu = log.series("trials/a/cpu");
    log.point(cpu, std::numeric_limits<std::int64_t>::max(), 1);
    log.point(cpu, -5, 1);
    log.point(cpu, 7, 1);
  }
  uplink::SystemLog log(root_);
  const uplink::SystemBatch batch = log.of("a", 0, 10, 0);
  ASSERT_EQ(batch.points.size(), 1U);
  EXPECT_EQ(batch.until, 1007);
}

}  // namespace
}  // namespace paribus::machine
