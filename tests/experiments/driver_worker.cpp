// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "driver/worker.h"

namespace paribus::driver {
namespace {

using nlohmann::json;
using ::testing::IsSubstring;

const std::filesystem::path kFake = PARIBUS_TEST_DIR "/../tools/fake_worker.py";

std::string words_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(DriverWorker, AnswersARequest) {
  Worker worker(kFake);
  const json reply = worker.call("echo", {{"text", "hé\n\"x\""}});
  EXPECT_EQ(reply, (json{{"text", "hé\n\"x\""}}));
}

TEST(DriverWorker, CarriesALongMessageBothWays) {
  Worker worker(kFake);
  const std::string text(3 << 20, 'z');
  EXPECT_EQ(worker.call("echo", {{"text", text}})["text"], text);
}

TEST(DriverWorker, KeepsEventsThatComeBeforeAReply) {
  Worker worker(kFake);
  EXPECT_FALSE(worker.next_event(1).has_value());
  worker.call("event_first");
  const auto event = worker.next_event(0);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ((*event)["trial"], "t");
  EXPECT_FALSE(worker.next_event(1).has_value());
}

TEST(DriverWorker, PassesOverTheReplyToAnEarlierRequest) {
  Worker worker(kFake);
  EXPECT_EQ(worker.call("late")["text"], "fresh");
}

TEST(DriverWorker, TellsEveryProblemOfARefusal) {
  Worker worker(kFake);
  try {
    worker.call("refuse");
    FAIL() << "no refusal";
  } catch (const Refused& refused) {
    ASSERT_EQ(refused.problems().size(), 2u);
    EXPECT_EQ(refused.problems()[0].address, "optimizer.lr");
    EXPECT_STREQ(refused.what(), "optimizer.lr: too large\nand more");
  }
  EXPECT_EQ(words_of([&] { worker.call("refuse_silently"); }),
            "the worker refused without saying why");
  EXPECT_EQ(worker.call("echo")["text"], "") << "a refusal must not end the worker";
}

TEST(DriverWorker, TellsTheSignalAndLastWordsOfOneThatCrashes) {
  Worker worker(kFake);
  EXPECT_EQ(words_of([&] { worker.call("crash"); }),
            "paribus-worker was ended by SIGSEGV (segmentation fault); it closed the connection "
            "during 'crash'; its last "
            "lines:\nabout to crash");
  EXPECT_THROW(worker.call("echo"), WorkerLost) << "and stays lost";
}

TEST(DriverWorker, TellsTheExitStatus) {
  Worker worker(kFake);
  EXPECT_EQ(words_of([&] { worker.call("leave"); }),
            "paribus-worker ended with exit status 3; it closed the connection during 'leave'; its "
            "last lines:\nno such "
            "library");
}

TEST(DriverWorker, RefusesNonsense) {
  Worker worker(kFake);
  EXPECT_PRED_FORMAT2(IsSubstring, "paribus-worker: it sent what is no JSON object: hello there",
                      words_of([&] { worker.call("garbage"); }));
}

TEST(DriverWorker, BoundsAMessage) {
  Worker worker(kFake);
  EXPECT_PRED_FORMAT2(IsSubstring, "paribus-worker: it sent a message longer than 64 MiB",
                      words_of([&] { worker.call("endless"); }));
}

TEST(DriverWorker, IsNotBlockedByChatter) {
  Worker worker(kFake);
  EXPECT_EQ(worker.call("chatter"), json::object());
}

TEST(DriverWorker, InheritsNothingButItsDescriptors) {
  const int ours = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  Worker worker(kFake);
  const json reply = worker.call("fds");
  // 0 to 4, and the one with which the folder is listed.
  EXPECT_EQ(reply["fds"], (json{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(reply["sid"], true) << "Ctrl-C must not reach it";
  ::close(ours);
}

TEST(DriverWorker, SaysWhichProgramCannotBeRun) {
  EXPECT_EQ(words_of([] { Worker worker("/nonexistent/paribus-worker"); }),
            "can't run the worker /nonexistent/paribus-worker: No such file or directory");
}

TEST(DriverWorker, IsNamedByTheEnvironment) {
  ::setenv("PARIBUS_WORKER", "/somewhere/else", 1);
  EXPECT_EQ(Worker::program(), "/somewhere/else");
  ::unsetenv("PARIBUS_WORKER");
}

TEST(DriverWorker, IsGoneWhenTheClientIs) {
  pid_t pid = 0;
  {
    Worker worker(kFake);
    worker.call("echo");
    pid = worker.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(DriverWorker, DiesWithADriverThatIsKilled) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that we can wait for what the driver leaves behind
  const pid_t driver = ::fork();
  if (driver == 0) {
    Worker worker(kFake);
    worker.call("echo");
    const pid_t pid = worker.pid();
    [[maybe_unused]] const ssize_t n = ::write(ends[1], &pid, sizeof pid);
    ::pause();
  }
  pid_t worker = 0;
  ASSERT_EQ(::read(ends[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  ::kill(worker, SIGSTOP);  // else it may see its socket closed, and leave by itself
  ::kill(driver, SIGKILL);
  ::waitpid(driver, nullptr, 0);
  int status = 0;
  EXPECT_EQ(::waitpid(worker, &status, 0), worker);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(DriverWorker, NamesSignals) {
  EXPECT_EQ(signal_name(SIGABRT), "SIGABRT (aborted)");
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL (killed)");
  EXPECT_EQ(signal_name(1000), "signal 1000");
}

}  // namespace
}  // namespace paribus::driver
