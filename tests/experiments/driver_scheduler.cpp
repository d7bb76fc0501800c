// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>

#include "driver/interrupt.h"
#include "driver/list_source.h"
#include "driver/scheduler.h"

namespace paribus::driver {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::IsSubstring;

/// Keeps what it is told.
struct Recorder : Observer {
  void started(const Trial& trial, const ProgressSlot& slot) override {
    order.push_back(trial.id);
    slots[trial.id] = &slot;
    most = std::max(most, ++now);
  }
  void ended(const Trial& trial, const Outcome& outcome) override {
    outcomes[trial.id] = outcome;
    steps[trial.id] = slots[trial.id]->step;
    --now;
  }
  void tick() override {
    if (on_tick) on_tick();
  }

  std::vector<std::string> order;
  std::map<std::string, const ProgressSlot*> slots;
  std::map<std::string, Outcome> outcomes;
  std::map<std::string, std::uint64_t> steps;
  int now = 0, most = 0;
  std::function<void()> on_tick;
};

class DriverScheduler : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "paribus-study-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ::setenv("PARIBUS_WORKER", PARIBUS_TEST_DIR "/../tools/fake_worker.py", 1);
  }
  void TearDown() override {
    ::unsetenv("PARIBUS_WORKER");
    fs::remove_all(folder_);
  }

  /// The fake worker's trials go as their seed says.
  static std::vector<Trial> trials(const std::vector<std::uint64_t>& seeds) {
    std::vector<Trial> list;
    for (const std::uint64_t seed : seeds) {
      Trial trial;
      trial.id = fmt::format("t{}", list.size());
      trial.seed = seed;
      trial.family = std::make_shared<TrialFamily>(json{{"seed", seed}});
      list.push_back(std::move(trial));
    }
    return list;
  }
  Tally run(const std::vector<Trial>& list, std::size_t at_once) {
    const StudyDirectory directory(folder_);
    journal::Writer log(directory.journal("study"));
    Engine engine;
    Policy policy;
    policy.at_once = at_once;
    policy.metric = "valid.accuracy";
    Scheduler scheduler(engine, directory, log, recorder_, policy);
    ListSource source(directory, list, {});
    return scheduler.run(source);
  }

  fs::path folder_;
  Recorder recorder_;
};

TEST_F(DriverScheduler, RunsTrialsInOrderSomeAtATime) {
  const Tally tally = run(trials({1, 2, 3, 4, 5}), 2);
  EXPECT_EQ(tally.done, 5u);
  EXPECT_EQ(tally.failed + tally.stopped + tally.not_started, 0u);
  EXPECT_FALSE(tally.interrupted);
  EXPECT_EQ(recorder_.order, (std::vector<std::string>{"t0", "t1", "t2", "t3", "t4"}));
  EXPECT_EQ(recorder_.most, 2);
  EXPECT_EQ(recorder_.steps["t3"], 10u) << "read from shared memory";
}

TEST_F(DriverScheduler, AFailureStopsNoOther) {
  const Tally tally = run(trials({1, 11, 66, 13, 2}), 1);
  EXPECT_EQ(tally.done, 2u);
  EXPECT_EQ(tally.failed, 3u);
  EXPECT_EQ(recorder_.outcomes["t1"].message,
            "its process was ended by SIGSEGV (segmentation fault)");
  EXPECT_EQ(recorder_.outcomes["t2"].message, "last words") << "of its log";
  EXPECT_EQ(recorder_.outcomes["t3"].message, "seed 13 is unlucky") << "refused at the start";
  EXPECT_TRUE(recorder_.outcomes["t4"].done());
}

TEST_F(DriverScheduler, LogsHowEachTrialEnded) {
  run(trials({1, 11}), 2);
  const journal::Record record = journal::read(folder_ / "journal" / "study.log");
  ASSERT_EQ(record.events.size(), 4u) << "each began and ended";
  std::vector<std::string> lines;
  for (const json& event : record.events) {
    if (event["event"] == "begin") continue;
    EXPECT_EQ(event["event"], "exit");
    lines.push_back(fmt::format("{} {} {}", event["trial"].get<std::string>(), event["code"].dump(),
                                event["signal"].dump()));
  }
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()),
            (std::set<std::string>{"t0 0 0", "t1 0 11"}));
}

TEST_F(DriverScheduler, NoTrialsIsNoWork) {
  const Tally tally = run({}, 4);
  EXPECT_EQ(tally.done + tally.failed, 0u);
}

/// Interrupts are counted for good: what makes them is done in a process of its own.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(DriverScheduler, TheFirstInterruptStopsAllToBeResumed) {
  EXPECT_EQ(in_child([&] {
              watch_interrupts();
              int ticks = 0;
              recorder_.on_tick = [&] {
                if (++ticks == 3) ::raise(SIGINT);
              };
              const Tally tally = run(trials({99, 99, 99}), 2);
              const bool right = tally.interrupted && tally.stopped == 2 &&
                                 tally.not_started == 1 && tally.done == 0;
              return right && recorder_.outcomes["t0"].stopped() ? 0 : 1;
            }),
            0);
}

TEST_F(DriverScheduler, TheSecondInterruptKills) {
  EXPECT_EQ(in_child([&] {
              watch_interrupts();
              int ticks = 0;
              recorder_.on_tick = [&] {
                if (++ticks == 3) ::raise(SIGINT), ::raise(SIGTERM);
              };
              const Tally tally = run(trials({99}), 1);
              return tally.interrupted && tally.stopped == 1 && recorder_.outcomes.empty() ? 0 : 1;
            }),
            0);
}

TEST_F(DriverScheduler, TheSecondInterruptKillsAWorkerThatHangs) {
  EXPECT_EQ(in_child([&] {
              watch_interrupts();
              ::alarm(30);
              const StudyDirectory directory(folder_);
              journal::Writer log(directory.journal("study"));
              Engine engine;
              bool is_pressed = false;
              recorder_.on_tick = [&] {
                if (std::exchange(is_pressed, true)) return;
                ::kill(engine.worker().pid(), SIGSTOP);
                ::raise(SIGINT);
                if (::fork() != 0) return;
                ::usleep(200'000);  // by then the driver waits for the worker's answer
                ::kill(::getppid(), SIGINT);
                ::_exit(0);
              };
              ListSource source(directory, trials({99}), {});
              Scheduler scheduler(engine, directory, log, recorder_, {});
              const Tally tally = scheduler.run(source);
              return tally.interrupted && tally.stopped == 1 ? 0 : 1;
            }),
            0);
}

TEST_F(DriverScheduler, AWorkerThatDiesTimeAndAgainIsToldSo) {
  Engine* engine_in_use = nullptr;
  const StudyDirectory directory(folder_);
  journal::Writer log(directory.journal("study"));
  Engine engine;
  engine_in_use = &engine;
  recorder_.on_tick = [&] { ::kill(engine_in_use->worker().pid(), SIGKILL); };
  ListSource source(directory, trials({99}), {});
  Scheduler scheduler(engine, directory, log, recorder_, {});
  try {
    scheduler.run(source);
    FAIL() << "nothing was thrown";
  } catch (const WorkerLost& lost) {
    // Whether a write or a read finds out first is a matter of time.
    EXPECT_PRED_FORMAT2(IsSubstring, "paribus-worker was ended by SIGKILL (killed); it ",
                        lost.what());
  }
}

TEST_F(DriverScheduler, ADirectoryIsRunByOneDriver) {
  const StudyDirectory directory(folder_);
  EXPECT_EQ(in_child([&] {
              try {
                const StudyDirectory second(folder_);
                return 1;
              } catch (const Error& error) {
                return std::string(error.what()).find("is being run by another process") !=
                               std::string::npos
                           ? 0
                           : 2;
              }
            }),
            0);
}

TEST_F(DriverScheduler, ADirectoryWithOtherThingsIsLeftAlone) {
  std::ofstream(folder_ / "thesis.tex") << "dear reader";
  try {
    const StudyDirectory directory(folder_);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_PRED_FORMAT2(IsSubstring,
                        "holds other things than a study; name another folder with --dir",
                        error.what());
  }
  EXPECT_FALSE(fs::exists(folder_ / "journal"));
}

TEST(DriverDirectory, IsCalledAsTheStudysFileOrItsFolder) {
  EXPECT_EQ(default_directory("lookahead.toml"), "runs/lookahead");
  EXPECT_EQ(default_directory("here/lookahead.toml"), "runs/lookahead");
  EXPECT_EQ(default_directory("experiments/quickstart/study.toml"), "runs/quickstart");
  EXPECT_EQ(default_directory("/study.toml"), "runs/study");
}

TEST_F(DriverScheduler, StatusIsThatOfTheJournalsEnd) {
  const StudyDirectory directory(folder_);
  EXPECT_EQ(directory.status("a"), "");
  {
    journal::Writer log(directory.journal("a"));
    log.event({{"event", "start"}});
  }
  EXPECT_EQ(directory.status("a"), "begun");
  {
    journal::Writer log(directory.journal("a"));
    log.event({{"event", "end"}, {"status", "done"}});
  }
  EXPECT_EQ(directory.status("a"), "done");
  directory.forget("a");
  EXPECT_EQ(directory.status("a"), "");
}

}  // namespace
}  // namespace paribus::driver
