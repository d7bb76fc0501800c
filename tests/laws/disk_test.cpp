// SPDX-License-Identifier: Apache-2.0
// The folder of checkpoints as the kernel writes it and as experiments tend it: two readers of one
// form.
#include <ATen/Functions.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "checkpoint_file.h"
#include "disk/check.h"
#include "disk/checkpoints.h"
#include "journal/journal.h"
#include "registry/sha256.h"

namespace paribus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class StudyOnDisk : public testing::Test {
 protected:
  StudyOnDisk() {
    std::string name = (fs::temp_directory_path() / "paribus-study-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    study_ = name;
    fs::create_directories(study_ / "journal");
  }
  ~StudyOnDisk() override { fs::remove_all(study_); }

  [[nodiscard]] fs::path folder(const std::string& trial) const {
    return study_ / "checkpoints" / trial;
  }
  [[nodiscard]] fs::path step(const std::string& trial, int number) const {
    return folder(trial) / ("step-" + std::to_string(number) + ".safetensors");
  }
  void save(const std::string& trial, int number) const {
    fs::create_directories(folder(trial));
    write_checkpoint(step(trial, number), {{"body", body_}, {"head", body_.add(number)}},
                     [](std::int64_t) {});
  }
  void tell(const std::string& trial, const std::vector<json>& events) const {
    journal::Writer log(study_ / "journal" / (trial + ".log"));
    for (const json& event : events) log.event(event);
  }
  [[nodiscard]] journal::Record told(const std::string& trial) const {
    return journal::read(study_ / "journal" / (trial + ".log"));
  }
  /// A trial that is done, as a worker leaves it.
  void finish(const std::string& trial, const char* keep = "final") const {
    fs::create_directories(folder(trial));
    const fs::path file = folder(trial) / "final.safetensors";
    write_weights(file, {{"w", body_}}, [](std::int64_t) {});
    tell(trial, {{{"event", "end"},
                  {"status", "done"},
                  {"weights_sha256", registry::sha256_of_file(file)},
                  {"keep", keep}}});
  }
  [[nodiscard]] std::vector<std::string> names(const fs::path& folder) const {
    std::vector<std::string> all;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none))
      all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }
  [[nodiscard]] std::size_t objects() const {
    std::size_t count = 0;
    if (!fs::exists(folder("objects"))) return 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder("objects")))
      count += entry.is_regular_file() ? 1 : 0;
    return count;
  }
  static void flip(const fs::path& file, std::size_t at) {
    fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekg(static_cast<std::streamoff>(at));
    const auto changed = static_cast<char>(out.get() ^ 1);
    out.seekp(static_cast<std::streamoff>(at));
    out.put(changed);
  }
  /// "file: state" of all that isn't whole.
  [[nodiscard]] std::vector<std::string> findings(bool repair = false) const {
    std::vector<std::string> all;
    for (const disk::Finding& one : disk::check_checkpoints(study_, repair)) {
      if (one.state != "whole") all.push_back(one.file + ": " + one.state);
    }
    return all;
  }

  fs::path study_;
  const at::Tensor body_ = at::arange(20'000, at::kFloat);
};

using Texts = std::vector<std::string>;

TEST_F(StudyOnDisk, ACheckpointCountsIfTheJournalHasItsPoints) {
  for (const int number : {3, 5, 7}) save("a", number);
  tell("a", {{{"event", "start"}}, {{"event", "checkpoint"}, {"step", 5}}});
  EXPECT_TRUE(disk::prepare(folder("a"), told("a")));
  EXPECT_EQ(names(folder("a")), (Texts{"step-5.safetensors", "step-5.tensors"}));
  EXPECT_EQ(newest_checkpoint(folder("a")).file, "step-5.safetensors");
  EXPECT_EQ(objects(), 2U);
}

TEST_F(StudyOnDisk, APointThatWasMadeVoidConfirmsNothing) {
  const json five{{"event", "checkpoint"}, {"step", 5}};
  for (const json& later : {json{{"event", "start"}}, json{{"event", "resume"}, {"step", 4}}}) {
    save("a", 5);
    fs::remove(study_ / "journal" / "a.log");
    tell("a", {{{"event", "start"}}, five, later});
    EXPECT_FALSE(disk::prepare(folder("a"), told("a"))) << later;
    EXPECT_TRUE(names(folder("a")).empty());
  }
  save("a", 5);
  tell("a", {{{"event", "branch"}, {"step", 5}}});
  EXPECT_TRUE(disk::prepare(folder("a"), told("a"))) << "points that it begins with";
}

TEST_F(StudyOnDisk, KeepSaysWhatStays) {
  for (const char* keep : {"final", "all", "none"}) {
    save(keep, 5), save(keep, 9);
    disk::link_checkpoint(step(keep, 5), folder(keep) / "branch-5.safetensors");
    finish(keep, keep);
    disk::tidy(folder(keep), keep);
  }
  const Texts branch{"branch-5.safetensors", "branch-5.tensors"};
  Texts expected = branch;
  EXPECT_EQ(names(folder("none")), expected);
  expected.push_back("final.safetensors");
  EXPECT_EQ(names(folder("final")), expected);
  expected.insert(expected.end(), {"step-9.safetensors", "step-9.tensors"});
  EXPECT_EQ(names(folder("all")), expected);
  disk::tidy_study(study_, /*finished=*/true);
  EXPECT_EQ(names(folder("final")), Texts{"final.safetensors"});
  EXPECT_FALSE(fs::exists(folder("none")));
  EXPECT_EQ(objects(), 2U) << "those of step 9, which is kept";
}

TEST_F(StudyOnDisk, ABranchNeedsNothingOfItsOrigin) {
  save("a", 5);
  fs::create_directories(folder("b"));
  disk::link_checkpoint(step("a", 5), step("b", 5));
  remove_checkpoint(step("a", 5));
  EXPECT_EQ(read_checkpoint(step("b", 5)).size(), 2U);
  EXPECT_EQ(objects(), 2U);
  disk::remove_checkpoint(step("b", 5));
  EXPECT_EQ(objects(), 0U);
}

TEST_F(StudyOnDisk, WhatKilledProcessesLeftVanishesAndWhatRunsIsLeftAlone) {
  save("done", 5), finish("done");
  save("stopped", 5), tell("stopped", {{{"event", "start"}}});
  save("paused", 5), tell("paused", {{{"event", "end"}, {"status", "paused"}}});
  save("runs", 5);
  const journal::Writer running(study_ / "journal" / "runs.log");
  std::ofstream(study_ / (".results.h5." + std::to_string(::getpid()))) << "another's draft";
  std::ofstream(study_ / ".results.h5.999999999") << "a draft";
  fs::create_directories(folder("objects") / "ab");
  std::ofstream(folder("objects") / "ab" / std::string(64, 'a')) << "nobody's";
  disk::tidy_study(study_);
  EXPECT_EQ(names(folder("done")), Texts{"final.safetensors"});
  for (const char* trial : {"stopped", "paused", "runs"})
    EXPECT_EQ(newest_checkpoint(folder(trial)).file, "step-5.safetensors") << trial;
  EXPECT_EQ(objects(), 2U);
  EXPECT_EQ(names(study_).size(), 3U) << "a draft of a process that lives is its own affair";
  disk::tidy_study(study_, /*finished=*/true);
  EXPECT_TRUE(names(folder("paused")).empty());
  EXPECT_EQ(newest_checkpoint(folder("runs")).file, "step-5.safetensors");
}

TEST_F(StudyOnDisk, FsckFindsWhatIsWrong) {
  save("a", 5), save("b", 5), save("c", 5), save("d", 5);
  finish("e"), finish("f"), finish("g");
  EXPECT_EQ(findings(), Texts{});
  flip(step("a", 5), fs::file_size(step("a", 5)) / 2);
  const fs::path tensors = folder("b") / "step-5.tensors";
  fs::remove(tensors / names(tensors).front());
  fs::remove(step("d", 5));
  flip(folder("f") / "final.safetensors", 500);
  fs::remove(folder("g") / "final.safetensors");
  std::ofstream(folder("e") / "best.safetensors.partial") << "half";
  EXPECT_EQ(findings(), (Texts{"checkpoints/a/step-5.safetensors: damaged",
                               "checkpoints/b/step-5.safetensors: damaged",
                               "checkpoints/d/step-5.tensors: left over",
                               "checkpoints/e/best.safetensors.partial: left over",
                               "checkpoints/f/final.safetensors: damaged",
                               "checkpoints/g/final.safetensors: missing"}));
  EXPECT_EQ(findings(/*repair=*/true).size(), 6U);
  EXPECT_EQ(findings(), (Texts{"checkpoints/f/final.safetensors: damaged",
                               "checkpoints/g/final.safetensors: missing"}));
  EXPECT_EQ(read_checkpoint(step("c", 5)).size(), 2U);
}

TEST_F(StudyOnDisk, FsckFindsEveryDamagedByteOfACheckpointThatTheKernelFinds) {
  save("a", 5);
  const auto size = fs::file_size(step("a", 5));
  for (std::size_t at = 0; at < size; at += 3) {
    flip(step("a", 5), at);
    EXPECT_EQ(findings().size(), 1U) << at;
    EXPECT_EQ(newest_checkpoint(folder("a")).file, "") << at;
    flip(step("a", 5), at);
  }
  const fs::path tensor = folder("a") / "step-5.tensors" / names(folder("a") / "step-5.tensors")[0];
  flip(tensor, 70'000);
  EXPECT_EQ(findings(), Texts{"checkpoints/a/step-5.safetensors: damaged"});
}

}  // namespace
}  // namespace paribus
