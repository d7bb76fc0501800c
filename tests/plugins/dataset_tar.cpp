// SPDX-License-Identifier: Apache-2.0
// The reader of tar archives (paribus/files.h).
#include "data.h"
#include "paribus/files.h"
#include "tar.h"

namespace paribus::test {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries entries_of(const std::string& bytes, const TarLimits& limits = {}) {
  const Folder folder;
  Entries found;
  read_tar("test", folder.write("a.tar", bytes), limits,
           [&](const std::string& name, std::string content) {
             found.emplace_back(name, std::move(content));
           });
  return found;
}

std::string error_in(const std::string& bytes, const TarLimits& limits = {}) {
  return error_of([&] { entries_of(bytes, limits); });
}

TEST(ReadTar, GivesFilesInTheirOrder) {
  const std::string big(1500, 'q');
  const std::string tar = tar_entry("b/x", "one") + tar_entry("dir/", "", '5') +
                          tar_entry("a", "") + tar_entry("c", big) + kTarEnd;
  const Entries expected{{"b/x", "one"}, {"a", ""}, {"c", big}};
  EXPECT_EQ(entries_of(tar), expected);
  EXPECT_EQ(entries_of(gzipped(tar)), expected);
}

TEST(ReadTar, TakesLongNames) {
  const std::string name = std::string(150, 'n') + "/file";
  const std::string record = "path=" + name + "\n";
  const std::string pax = std::to_string(record.size() + 4) + " " + record;
  const std::string tar = tar_entry("@LongLink", name + '\0', 'L') + tar_entry("cut", "1") +
                          tar_entry("header", pax, 'x') + tar_entry("cut", "2") +
                          tar_entry("short", "3") + kTarEnd;
  EXPECT_EQ(entries_of(tar), (Entries{{name, "1"}, {name, "2"}, {"short", "3"}}));
}

TEST(ReadTar, TruncationIsAnError) {
  const std::string tar = tar_entry("name", "content");
  EXPECT_TEXT(error_in(tar), "ends within a tar header, got 0 bytes, expected 512");
  EXPECT_TEXT(error_in(tar.substr(0, 515)), "ends within 'name', got 3 bytes, expected 7");
}

TEST(ReadTar, WhatIsNoTarIsAnError) {
  EXPECT_TEXT(error_in(std::string(2000, 'x')), "not a tar archive");
  std::string tar = tar_entry("name", "content") + kTarEnd;
  tar[3] ^= 1;
  EXPECT_TEXT(error_in(tar), "wrong header checksum");
}

TEST(ReadTar, IsBounded) {
  const std::string tar = tar_entry("one", "12345") + tar_entry("two", "12345") + kTarEnd;
  EXPECT_TEXT(error_in(tar, {.file_bytes = 4}), "larger than allowed at 'one' of 5 bytes; at most");
  EXPECT_TEXT(error_in(tar, {.total_bytes = 9}), "larger than allowed at 'two'");
  EXPECT_TEXT(error_in(tar, {.files = 1}), "larger than allowed at 'two'");
  EXPECT_TEXT(error_in(tar_header("one", 50'000'000, '0') + "x"),
              "'one' is said to be larger than the archive");
  EXPECT_EQ(entries_of(tar, {.file_bytes = 5, .total_bytes = 10, .files = 3}).size(), 2U);
}

TEST(ReadTar, DamagedArchivesNeverCrash) {
  const std::string pax = "16 path=abcdefg\n";
  const std::string tar = tar_entry("one", "12345") + tar_entry("header", pax, 'x') +
                          tar_entry("two", "12345") + tar_entry("@LongLink", "name", 'L') +
                          tar_entry("three", "12345") + kTarEnd;
  std::mt19937 random(2);
  int good = 0;
  for (int i = 0; i < 2000; ++i) {
    good += reads([&] { entries_of(damaged(i % 2 == 0 ? tar : gzipped(tar), random)); }) ? 1 : 0;
  }
  EXPECT_GT(good, 0);
  EXPECT_LT(good, 1800);
}

}  // namespace
}  // namespace paribus::test
