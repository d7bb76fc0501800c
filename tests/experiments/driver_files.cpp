// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "driver/files.h"
#include "driver/verified.h"
#include "paribus/error.h"
#include "registry/sha256.h"

namespace paribus::driver {
namespace {

namespace fs = std::filesystem;
using ::testing::IsSubstring;

std::string body() {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "a data file\n";
  return text;
}

/// A real server (tests/tools/file_server.py) for the whole suite.
class DriverFiles : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    int to[2], from[2];
    ASSERT_EQ(::pipe(to) | ::pipe(from), 0);
    server_ = ::fork();
    if (server_ == 0) {
      ::dup2(to[0], 0);
      ::dup2(from[1], 1);
      ::close(to[1]);
      ::execlp("python3", "python3", PARIBUS_TEST_DIR "/../tools/file_server.py", nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    keep_alive_ = to[1];
    FILE* lines = ::fdopen(from[0], "r");
    ASSERT_EQ(std::fscanf(lines, "%d", &port_), 1);
    std::fclose(lines);
    for (const char* proxy : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
      ::unsetenv(proxy);
  }
  static void TearDownTestSuite() {
    ::close(keep_alive_);
    ::waitpid(server_, nullptr, 0);
  }

  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "paribus-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    places_.roots = {folder_ / "one", folder_ / "two"};
    places_.cache = folder_ / "cache" / "data";
    dataset_.kind = "dataset";
    dataset_.name = "letters";
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string url(const std::string& path) {
    return fmt::format("http://127.0.0.1:{}/{}", port_, path);
  }

  registry::FileSchema& file(const std::string& path) {
    registry::FileSchema file;
    file.name = "letters.txt";
    file.folder = "letters";
    file.url = url(path);
    file.sha256 = registry::sha256(body());
    file.bytes = static_cast<std::int64_t>(body().size());
    dataset_.files.push_back(file);
    return dataset_.files.back();
  }
  FilePaths resolve(const FetchProgress& progress = {}) {
    return resolve_files(dataset_, spec_, places_, progress);
  }
  std::string problem() {
    try {
      resolve();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  static void put(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  static std::string get(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  /// Nothing half-done may stay behind.
  void expect_nothing_kept() const {
    if (!fs::exists(places_.cache)) return;
    for (const auto& entry : fs::recursive_directory_iterator(places_.cache))
      EXPECT_TRUE(entry.is_directory()) << entry;
  }

  static inline pid_t server_ = 0;
  static inline int keep_alive_ = -1, port_ = 0;
  fs::path folder_;
  FilePlaces places_;
  registry::PartSchema dataset_;
  PartSpec spec_;
};

TEST_F(DriverFiles, FetchesWhatIsNowhereAndKeepsIt) {
  file("good");
  std::int64_t last = 0, total = 0;
  const FilePaths paths = resolve(
      [&](const std::string&, std::int64_t got, std::int64_t all) { last = got, total = all; });
  EXPECT_EQ(paths.at("letters.txt"), (places_.cache / "letters" / "letters.txt").string());
  EXPECT_EQ(get(paths.at("letters.txt")), body());
  EXPECT_EQ(last, 1200);
  EXPECT_EQ(total, 1200);
  dataset_.files[0].url = "http://127.0.0.1:1/nobody";
  EXPECT_EQ(resolve(), paths) << "the second time it is in the cache";
}

TEST_F(DriverFiles, FollowsARedirection) {
  file("elsewhere");
  EXPECT_EQ(get(resolve().at("letters.txt")), body());
}

TEST_F(DriverFiles, PinsWhatIsInAGzipFile) {
  registry::FileSchema& pin = file("good.gz");
  pin.content = pin.sha256;
  pin.sha256.clear();
  pin.bytes = 0;
  EXPECT_EQ(resolve().size(), 1u);
  pin.content = registry::sha256("something else");
  fs::remove_all(places_.cache.parent_path());
  EXPECT_PRED_FORMAT2(IsSubstring, "expected " + pin.content, problem());
  EXPECT_PRED_FORMAT2(IsSubstring, registry::sha256(body()), problem());
}

TEST_F(DriverFiles, LooksInRootsInOrderFirst) {
  file("nothing");
  put(folder_ / "two" / "letters.txt", body());
  EXPECT_EQ(resolve().at("letters.txt"), (folder_ / "two" / "letters.txt").string());
  put(folder_ / "one" / "letters" / "letters.txt", body());
  EXPECT_EQ(resolve().at("letters.txt"), (folder_ / "one" / "letters" / "letters.txt").string());
}

TEST_F(DriverFiles, RefusesAFileOfARootThatIsNotTheOne) {
  file("good");
  const fs::path place = folder_ / "one" / "letters" / "letters.txt";
  put(place, "other bytes");
  EXPECT_PRED_FORMAT2(
      IsSubstring,
      fmt::format("dataset/letters: {} is not the file that is wanted: got sha256 {}, expected {}",
                  place.string(), registry::sha256("other bytes"), registry::sha256(body())),
      problem());
  put(place, body());
  EXPECT_EQ(resolve().size(), 1u) << "a bad verdict isn't kept";
}

TEST_F(DriverFiles, FetchesAgainWhatWentBadInTheCache) {
  file("good");
  put(places_.cache / "letters" / "letters.txt", "rot");
  EXPECT_EQ(get(resolve().at("letters.txt")), body());
}

TEST_F(DriverFiles, ReadsAFileForItsSumOnlyOnce) {
  registry::FileSchema& pin = file("good");
  const fs::path place = folder_ / "one" / "letters.txt";
  put(place, body());
  VerifiedFiles verified(folder_ / "memory");
  verified.verify(place, pin);
  EXPECT_NE(get(folder_ / "memory").find(pin.sha256), std::string::npos);
  const auto size = fs::file_size(folder_ / "memory");
  verified.verify(place, pin);
  EXPECT_EQ(fs::file_size(folder_ / "memory"), size);
  put(place, "other bytes");
  EXPECT_THROW(verified.verify(place, pin), Error) << "another file now";
}

TEST_F(DriverFiles, NeedsAFileOnlyWhileItsParameterIsEmpty) {
  file("missing").unless = "path";
  spec_.params["path"] = std::string();
  EXPECT_PRED_FORMAT2(IsSubstring, "404", problem());
  spec_.params["path"] = std::string("/some/folder");
  EXPECT_TRUE(resolve().empty());
}

TEST_F(DriverFiles, TellsAWrongSum) {
  file("good").sha256 = std::string(64, 'a');
  EXPECT_PRED_FORMAT2(IsSubstring, "dataset/letters: fetched " + url("good") + ", but ", problem());
  EXPECT_PRED_FORMAT2(IsSubstring, "got sha256 " + registry::sha256(body()) + ", expected aaaa",
                      problem());
  expect_nothing_kept();
}

TEST_F(DriverFiles, TellsAnAnswerThatEndsEarly) {
  file("short");
  EXPECT_PRED_FORMAT2(
      IsSubstring, "can't fetch " + url("short") + ": the answer ended after 100 bytes", problem());
  dataset_.files[0].url = url("unsized");
  EXPECT_PRED_FORMAT2(IsSubstring, "the answer ended after 100 of 1200 bytes", problem());
  expect_nothing_kept();
}

TEST_F(DriverFiles, TakesNoMoreThanItExpects) {
  file("long");
  EXPECT_PRED_FORMAT2(IsSubstring, "the answer is longer than the 1200 bytes expected", problem());
  expect_nothing_kept();
}

TEST_F(DriverFiles, TellsWhereToPutAFileThatIsNotThere) {
  file("missing");
  EXPECT_EQ(
      problem(),
      fmt::format(
          "dataset/letters: can't fetch {}: The requested URL returned error: 404; put a good one "
          "at {} or, as letters/letters.txt, in a folder of $PARIBUS_DATA",
          url("missing"), (places_.cache / "letters" / "letters.txt").string()));
}

TEST_F(DriverFiles, TellsAServerThatIsNotThere) {
  file("good").url = "http://127.0.0.1:1/good";
  EXPECT_PRED_FORMAT2(IsSubstring, "can't fetch http://127.0.0.1:1/good: Failed to connect",
                      problem());
  EXPECT_PRED_FORMAT2(IsSubstring, "$PARIBUS_DATA", problem());
}

TEST_F(DriverFiles, TellsEveryMissingFileAtOnce) {
  file("missing");
  file("absent").name = "more.txt";
  EXPECT_PRED_FORMAT2(IsSubstring, "letters.txt", problem());
  EXPECT_PRED_FORMAT2(IsSubstring, "more.txt", problem());
}

TEST_F(DriverFiles, SpeaksNothingButHttp) {
  file("good").url = "file:///etc/hostname";
  EXPECT_PRED_FORMAT2(
      IsSubstring, "can't fetch file:///etc/hostname: Protocol \"file\" not supported", problem());
  dataset_.files[0].url = url("outside");
  EXPECT_PRED_FORMAT2(IsSubstring, "Protocol \"file\" not supported", problem());
  expect_nothing_kept();
}

TEST_F(DriverFiles, StaysWithinItsFolders) {
  file("good").name = "../letters.txt";
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "its manifest names the file '../letters.txt' in the folder 'letters'",
                      problem());
  dataset_.files[0].name = "letters.txt";
  dataset_.files[0].folder = "a/../../b";
  EXPECT_PRED_FORMAT2(IsSubstring, "expected a plain name below a folder", problem());
  dataset_.files[0].folder = "/etc";
  EXPECT_PRED_FORMAT2(IsSubstring, "expected a plain name below a folder", problem());
}

TEST(DriverPlaces, ComeFromTheEnvironment) {
  ::setenv("PARIBUS_DATA", "/a::/b/c", 1);
  ::setenv("XDG_CACHE_HOME", "/cache", 1);
  const FilePlaces places = FilePlaces::from_environment();
  EXPECT_EQ(places.roots, (std::vector<fs::path>{"/a", "/b/c"}));
  EXPECT_EQ(places.cache, "/cache/paribus/data");
  ::unsetenv("PARIBUS_DATA");
  ::unsetenv("XDG_CACHE_HOME");
  ::setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(FilePlaces::from_environment().cache, "/home/ada/.cache/paribus/data");
}

}  // namespace
}  // namespace paribus::driver
