// SPDX-License-Identifier: Apache-2.0
// Checkpoints on disk: equal tensors once, every byte checked, nothing lost to whoever else cleans
// up, is killed or damages a file.
#include <ATen/Functions.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "checkpoint_file.h"
#include "paribus/error.h"
#include "parts.h"

namespace paribus::test {
namespace {

constexpr std::int64_t kMany = 20'000;  // float32 elements: more than 64 KiB

void write(const fs::path& file, const NamedTensors& tensors) {
  fs::create_directories(file.parent_path());
  write_checkpoint(file, tensors, [](std::int64_t) {});
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

ino_t inode(const fs::path& file) {
  struct stat facts {};
  EXPECT_EQ(::stat(file.c_str(), &facts), 0) << file;
  return facts.st_ino;
}

void flip(const fs::path& file, std::size_t at) {
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
  std::string bytes = bytes_of(file);
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x10);
  write_bytes(file, bytes);
}

/// Checkpoints of two trials of a study.
class Checkpoints : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path one(int step) const {
    return root_ / ("one/step-" + std::to_string(step) + ".safetensors");
  }
  [[nodiscard]] fs::path other(int step) const {
    return root_ / ("other/step-" + std::to_string(step) + ".safetensors");
  }
  [[nodiscard]] fs::path pin(const fs::path& file) const {
    return files_below(fs::path(file).replace_extension(".tensors")).at(0);
  }

  Folder root_;
  const at::Tensor frozen_ = at::arange(kMany, at::kFloat);
  const at::Tensor odd_ = at::arange(60'000, at::kHalf).view({200, 300}).t();
};

TEST_F(Checkpoints, ComeBackWhateverTheirSize) {
  const NamedTensors all{{"weights/a \"quoted\"/µ", frozen_},
                         {"odd", odd_},
                         {"long", at::arange(kMany, at::kLong).view({2, 10, 1000})},
                         {"small", at::arange(3)},
                         {"none", at::empty({0})},
                         {"one", at::scalar_tensor(0.1, at::kDouble)}};
  write(one(1), all);
  const TensorMap read = read_checkpoint(one(1));
  ASSERT_EQ(read.size(), all.size());
  for (const auto& [name, tensor] : all) EXPECT_TRUE(same_bits(read.at(name), tensor)) << name;
  EXPECT_LT(fs::file_size(one(1)), 2048U) << "large tensors stand elsewhere";
}

TEST_F(Checkpoints, KeepEqualTensorsOnce) {
  write(one(1), {{"body", frozen_}, {"head", frozen_.add(1)}});
  write(one(2), {{"body", frozen_}, {"head", frozen_.add(2)}});
  write(other(7), {{"renamed", frozen_.clone()}, {"twice", frozen_.clone()}});
  EXPECT_EQ(files_below(root_ / "objects").size(), 3U);
  const fs::path same = pin(other(7));
  EXPECT_EQ(inode(same), inode(one(1).replace_extension(".tensors") / same.filename()));
  EXPECT_EQ(inode(same), inode(one(2).replace_extension(".tensors") / same.filename()));
}

TEST_F(Checkpoints, TellHowMuchIsNew) {
  std::vector<std::int64_t> announced;
  const auto note = [&](std::int64_t bytes) { announced.push_back(bytes); };
  fs::create_directories(one(1).parent_path());
  write_checkpoint(one(1), {{"body", frozen_}}, note);
  write_checkpoint(one(2), {{"body", frozen_}}, note);
  ASSERT_EQ(announced.size(), 2U);
  EXPECT_GE(announced[0], kMany * 4);
  EXPECT_LT(announced[1], 32 * 1024);
}

TEST_F(Checkpoints, ForbiddenOnesLeaveNothing) {
  fs::create_directories(one(1).parent_path());
  const auto forbid = [](std::int64_t) { throw NoSpace("no more"); };
  EXPECT_THROW(write_checkpoint(one(1), {{"body", frozen_}}, forbid), NoSpace);
  EXPECT_TRUE(files_below(root_.path()).empty());
}

TEST_F(Checkpoints, GoWithWhatNobodyElseNeeds) {
  write(one(1), {{"body", frozen_}, {"head", frozen_.add(1)}});
  write(other(7), {{"body", frozen_}});
  remove_checkpoint(one(1));
  EXPECT_EQ(files_below(root_ / "one"), std::vector<fs::path>{});
  EXPECT_EQ(files_below(root_ / "objects").size(), 1U);
  EXPECT_TRUE(same_bits(read_checkpoint(other(7)).at("body"), frozen_));
  remove_checkpoint(other(7));
  EXPECT_FALSE(fs::exists(root_ / "objects"));
}

TEST_F(Checkpoints, NeedNoObjectsToBeRead) {
  write(one(1), {{"body", frozen_}});
  fs::remove_all(root_ / "objects");  // a clean-up gone mad
  EXPECT_TRUE(same_bits(read_checkpoint(one(1)).at("body"), frozen_));
  write(other(7), {{"body", frozen_}});
  EXPECT_TRUE(same_bits(read_checkpoint(other(7)).at("body"), frozen_));
}

TEST_F(Checkpoints, WorkWhereObjectsCantBeMade) {
  write_bytes(root_ / "objects", "a file where the folder should be");
  write(one(1), {{"body", frozen_}});
  write(other(7), {{"body", frozen_}});
  remove_checkpoint(one(1));
  EXPECT_TRUE(same_bits(read_checkpoint(other(7)).at("body"), frozen_));
}

TEST_F(Checkpoints, EveryDamagedByteOfTheFileIsFound) {
  write(one(1), {{"body", frozen_}, {"small", at::arange(9)}});
  const std::string good = bytes_of(one(1));
  for (std::size_t at = 0; at < good.size(); ++at) {
    flip(one(1), at);
    EXPECT_TEXT(error_of([&] { read_checkpoint(one(1)); }), one(1).string() + ": ") << at;
    write_bytes(one(1), good);
  }
  for (std::size_t size = 0; size < good.size(); size += 7) {
    write_bytes(one(1), good.substr(0, size));
    EXPECT_TEXT(error_of([&] { read_checkpoint(one(1)); }), one(1).string() + ": ") << size;
  }
}

TEST_F(Checkpoints, DamagedAndMissingTensorsAreNamed) {
  write(one(1), {{"body", frozen_}});
  const fs::path file = pin(one(1));
  const std::string good = bytes_of(file);
  for (const std::size_t at : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
    flip(file, at);
    EXPECT_EQ(error_of([&] { read_checkpoint(one(1)); }),
              file.string() +
                  ": is damaged, its name is no longer its SHA-256; it is tensor "
                  "'body' of step-1.safetensors");
    write_bytes(file, good);
  }
  for (const std::string& bytes : {good.substr(1), good + "x", std::string()}) {
    write_bytes(file, bytes);
    EXPECT_TEXT(error_of([&] { read_checkpoint(one(1)); }), file.string() + ": is damaged");
  }
  fs::remove(file);
  EXPECT_EQ(error_of([&] { read_checkpoint(one(1)); }),
            file.string() +
                ": can't open it: No such file or directory; it is tensor 'body' of "
                "step-1.safetensors");
}

TEST_F(Checkpoints, ADamagedObjectIsNotTakenOver) {
  write(one(1), {{"body", frozen_}});
  flip(pin(one(1)), 5);
  write(other(7), {{"body", frozen_}});
  EXPECT_TRUE(same_bits(read_checkpoint(other(7)).at("body"), frozen_));
  write(one(2), {{"body", frozen_}});
  EXPECT_EQ(inode(pin(one(2))), inode(pin(other(7))))
      << "the whole one took the damaged one's place";
}

TEST_F(Checkpoints, LeftoversVanishAndNothingElse) {
  write(one(1), {{"body", frozen_}});
  write(one(2), {{"body", frozen_.add(2)}});
  fs::remove(one(2));  // killed between the pins and the file
  write_bytes(root_ / "one/final.safetensors.partial", "half");
  write_bytes(root_ / "one/best.safetensors", "a callback's");
  remove_leftovers(root_ / "one");
  EXPECT_EQ(files_below(root_ / "objects").size(), 1U);
  std::vector<fs::path> expected{root_ / "one/best.safetensors", one(1), pin(one(1))};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(files_below(root_ / "one"), expected);
}

TEST_F(Checkpoints, AFullDiskLeavesTheOldOne) {
  write(one(1), {{"body", frozen_}});
  const std::vector<fs::path> before = files_below(root_.path());
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  small.rlim_cur = 100'000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string text;
  try {
    write(one(2), {{"a", frozen_.add(1)}, {"b", at::arange(2 * kMany, at::kFloat)}});
  } catch (const NoSpace& problem) {
    text = problem.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);
  EXPECT_TEXT(text, ": can't write it: File too large (");
  EXPECT_TEXT(text, "what was written before is whole: raise the limit on a file's size");
  EXPECT_EQ(files_below(root_.path()), before);
  EXPECT_TRUE(same_bits(read_checkpoint(one(1)).at("body"), frozen_));
}

TEST_F(Checkpoints, TwoTrialsCleanUpUnderEachOther) {
  const auto live = [&](const std::string& trial) {
    for (int step = 1; step <= 150; ++step) {
      const fs::path file = root_ / (trial + "/step-" + std::to_string(step) + ".safetensors");
      const at::Tensor body = frozen_.add(step % 3);
      write(file, {{"body", body}});
      if (!same_bits(read_checkpoint(file).at("body"), body)) return false;
      remove_checkpoint(file);
    }
    return true;
  };
  bool first = false;
  std::thread beside([&] { first = live("one"); });
  const bool second = live("other");
  beside.join();
  EXPECT_TRUE(first && second);
}

TEST_F(Checkpoints, AKillAtAnyInstantLeavesAWholeOne) {
  write(one(0), {{"body", frozen_}, {"step", at::scalar_tensor(0)}});
  std::mt19937 draw(3);
  for (int kill = 0; kill < 30; ++kill) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int step = 1;; ++step) {
        write(one(step), {{"body", frozen_.add(step % 2)}, {"step", at::scalar_tensor(step)}});
        for (const fs::path& old : checkpoints_in(root_ / "one"))
          if (old != one(step)) remove_checkpoint(old);
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(draw() % 10'000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    remove_leftovers(root_ / "one");
    const Found found = newest_checkpoint(root_ / "one");
    ASSERT_EQ(found.damage, "");
    const auto step = found.tensors.at("step").item<std::int64_t>();
    EXPECT_TRUE(same_bits(found.tensors.at("body"), frozen_.add(step % 2)));
  }
}

TEST_F(Checkpoints, EqualWeightsAreOneFile) {
  fs::create_directories(root_ / "one");
  const auto weights = [&](const char* name, const at::Tensor& tensor) {
    write_weights(root_ / "one" / name, {{"w", tensor}}, [](std::int64_t) {});
  };
  weights("best.safetensors", frozen_);
  weights("epoch-1.safetensors", frozen_.add(1));
  weights("final.safetensors", frozen_);
  EXPECT_EQ(inode(root_ / "one/best.safetensors"), inode(root_ / "one/final.safetensors"));
  EXPECT_NE(inode(root_ / "one/best.safetensors"), inode(root_ / "one/epoch-1.safetensors"));
  weights("best.safetensors", frozen_.add(2));
  EXPECT_TRUE(same_bits(read_safetensors(root_ / "one/final.safetensors").at("w"), frozen_));
  EXPECT_TRUE(same_bits(read_safetensors(root_ / "one/best.safetensors").at("w"), frozen_.add(2)));
}

}  // namespace
}  // namespace paribus::test
