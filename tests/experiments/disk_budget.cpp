// SPDX-License-Identifier: Apache-2.0
// `[study] disk`: an account that several processes share, some of which are killed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "disk/budget.h"
#include "disk/no_space.h"
#include "paribus/error.h"

namespace paribus::disk {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kKiB = 1024, kMiB = 1024 * 1024;

class DiskBudget : public testing::Test {
 protected:
  DiskBudget() {
    std::string name = (fs::temp_directory_path() / "paribus-budget-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    folder_ = name;
    study_ = folder_ / "study";
    for (const char* part : {"journal", "checkpoints", "logs"})
      fs::create_directories(study_ / part);
    std::ofstream(folder_ / "account");
    fs::resize_file(folder_ / "account", 64 + Budget::kBytes);
  }
  ~DiskBudget() override { fs::remove_all(folder_); }

  [[nodiscard]] Budget budget(std::int64_t limit, int claim) const {
    return {study_, limit, folder_ / "account", 64, claim};
  }
  void write(const std::string& name, std::int64_t bytes) const {
    std::ofstream(study_ / name, std::ios::binary)
        << std::string(static_cast<std::size_t>(bytes), 'x');
  }
  static std::string refusal(const std::function<void()>& act) {
    try {
      act();
    } catch (const NoSpace& problem) {
      return problem.what();
    }
    return "";
  }
  /// In a process of its own, which ends as `act` returns, its claim as it is.
  static pid_t beside(const std::function<int()>& act) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(act());
    return child;
  }
  static int status_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  fs::path folder_, study_;
};

TEST_F(DiskBudget, AllowsWhatFitsAndSaysWhatTakesTheRoom) {
  Budget trial = budget(2 * kMiB, 0);
  trial.reserve(kMiB, "a checkpoint");
  write("checkpoints/a", kMiB);
  trial.written();
  const std::string text = refusal([&] { trial.reserve(kMiB, "a checkpoint"); });
  EXPECT_NE(
      text.find("study.disk: a checkpoint of 1.0 MiB finds no room in " + study_.string() +
                ", which holds 1.0 MiB of the 2.0 MiB allowed (checkpoints 1.0 MiB, journals "),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("raise it, keep less (study.keep = \"none\", no callback/checkpoint)"),
            std::string::npos)
      << text;
}

TEST_F(DiskBudget, LearnsOfWhatWasRemoved) {
  Budget trial = budget(2 * kMiB, 0);
  for (int i = 0; i < 20; ++i) {
    trial.reserve(kMiB, "a checkpoint");
    write("checkpoints/a", kMiB);
    trial.written();
    fs::remove(study_ / "checkpoints/a");
  }
}

TEST_F(DiskBudget, WhoIsNoMoreClaimsNothing) {
  const pid_t child = beside([&] {
    budget(2 * kMiB, 0).reserve(kMiB + kMiB / 2, "a checkpoint");
    return 0;
  });
  EXPECT_EQ(status_of(child), 0);
  budget(2 * kMiB, 1).reserve(kMiB, "a checkpoint");
}

TEST_F(DiskBudget, WhoIsWritingKeepsItsClaim) {
  Budget one = budget(2 * kMiB, 0), other = budget(2 * kMiB, 1);
  one.reserve(kMiB, "a checkpoint");
  EXPECT_NE(refusal([&] { other.reserve(kMiB, "a checkpoint"); }), "");
  one.written();
  other.reserve(kMiB, "a checkpoint");  // nothing was written after all
}

TEST_F(DiskBudget, BooksJournalsAheadUntilItIsTight) {
  const std::int64_t limit = 400 * kKiB;
  Budget trial = budget(limit, 0);
  std::int64_t allowed = 0;
  const std::string text = refusal([&] {
    while (allowed < limit) {
      trial.add(kKiB, "a log");
      write("logs/a", allowed += kKiB);
    }
  });
  EXPECT_GT(allowed, 250 * kKiB);
  EXPECT_LE(measure(study_).total(), limit);
  EXPECT_NE(text.find("a log of 1.0 KiB"), std::string::npos) << text;
}

TEST_F(DiskBudget, KeepsRoomForResultsOfTheJournals) {
  write("journal/a.log", kMiB);
  Budget trial = budget(4 * kMiB, 0);
  EXPECT_NE(refusal([&] { trial.reserve(kKiB, "a checkpoint"); }), "");
  budget(5 * kMiB, 0).reserve(kKiB, "a checkpoint");
}

TEST_F(DiskBudget, WithoutALimitAsksNothing) {
  Budget trial(study_, 0, "/nowhere", 0, 0);
  trial.reserve(std::int64_t{1} << 60, "a checkpoint");
  trial.add(std::int64_t{1} << 60, "a journal");
  trial.written();
}

TEST_F(DiskBudget, CountsAFileOfManyNamesOnce) {
  write("checkpoints/a", kMiB);
  const std::int64_t once = measure(study_).total();
  fs::create_hard_link(study_ / "checkpoints/a", study_ / "checkpoints/b");
  EXPECT_LE(measure(study_).total(), once + 8 * kKiB);
  EXPECT_GE(once, kMiB);
}

TEST_F(DiskBudget, IsNeverExceededByProcessesSideBySideThatAreKilled) {
  const std::int64_t limit = 4 * kMiB;
  const auto trial = [&](int claim) {
    Budget own = budget(limit, claim);
    for (int step = 0;; ++step) {
      try {
        const std::int64_t bytes = (100 + 150 * ((step + claim) % 4)) * kKiB;
        own.reserve(bytes, "a checkpoint");
        const std::string name = "checkpoints/" + std::to_string(claim) + "-";
        write(name + std::to_string(step % 4), bytes);
        own.written();
        if (step % 3 == 0) fs::remove(study_ / (name + std::to_string((step + 2) % 4)));
      } catch (const NoSpace&) {
        return 75;
      }
    }
  };
  int stopped = 0;
  for (int round = 0; round < 6; ++round) {
    std::vector<pid_t> children;
    for (int claim = 0; claim < 3; ++claim)
      children.push_back(beside([&] { return trial(claim); }));
    for (int look = 0; look < 10; ++look) {
      ASSERT_LE(measure(study_).total(), limit);
      ::usleep(1000);
    }
    for (const pid_t child : children) {
      ::kill(child, SIGKILL);
      stopped += status_of(child) == 75 ? 1 : 0;
    }
    ASSERT_LE(measure(study_).total(), limit);
    for (const auto& entry : fs::directory_iterator(study_ / "checkpoints"))
      if (round % 2 == 0) fs::remove(entry.path());
  }
  EXPECT_GT(stopped, 0) << "or it was never tight";
}

TEST(DiskBytes, AreSaidInUnits) {
  EXPECT_EQ(bytes_text(0), "0 bytes");
  EXPECT_EQ(bytes_text(1023), "1023 bytes");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(std::int64_t{200} << 20), "200 MiB");
  EXPECT_EQ(bytes_text(std::int64_t{3} << 30), "3.0 GiB");
}

}  // namespace
}  // namespace paribus::disk
