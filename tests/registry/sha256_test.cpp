// SPDX-License-Identifier: Apache-2.0
#include "registry/sha256.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "temporary.h"

namespace paribus::registry {
namespace {

using namespace test;

// FIPS 180-4, and `sha256sum` for the empty text.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fs::path write_gzip(const fs::path& path, const std::string& text) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return path;
}

TEST(Sha256, KnowsThePublishedDigests) {
  EXPECT_EQ(sha256(""), kEmpty);
  EXPECT_EQ(sha256("abc"), kAbc);
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const TemporaryFolder folder;
  const std::string large(1'000'003, 'x');
  EXPECT_EQ(sha256_of_file(write_bytes(folder / "abc", "abc")), kAbc);
  EXPECT_EQ(sha256_of_file(write_bytes(folder / "empty", "")), kEmpty);
  EXPECT_EQ(sha256_of_file(write_bytes(folder / "large", large)), sha256(large));
}

TEST(Sha256, OfContentLooksIntoGzip) {
  const TemporaryFolder folder;
  EXPECT_EQ(sha256_of_content(write_gzip(folder / "abc.gz", "abc")), kAbc);
  EXPECT_EQ(sha256_of_content(write_bytes(folder / "abc", "abc")), kAbc);
  EXPECT_EQ(sha256_of_content(write_bytes(folder / "empty", "")), kEmpty);
  EXPECT_NE(sha256_of_file(folder / "abc.gz"), kAbc);
}

TEST(Sha256, SaysWhichFileCannotBeRead) {
  const TemporaryFolder folder;
  const std::string expected =
      (folder / "none").string() +
      ": cannot be read: No such file or directory; check that it exists and its permissions";
  EXPECT_EQ(error_of([&] { sha256_of_file(folder / "none"); }), expected);
  EXPECT_EQ(error_of([&] { sha256_of_content(folder / "none"); }), expected);
  EXPECT_NE(error_of([&] { sha256_of_file(folder.path()); }).find("Is a directory"),
            std::string::npos);
  EXPECT_NE(error_of([&] { sha256_of_content(folder.path()); }).find("Is a directory"),
            std::string::npos);
}

TEST(Sha256, RefusesDamagedGzip) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i);
  const std::string whole = read_bytes(write_gzip(folder / "whole.gz", text));
  const auto damaged = [&](const std::string& bytes) {
    const fs::path path = write_bytes(folder / "cut.gz", bytes);
    const std::string error = error_of([&] { sha256_of_content(path); });
    return error.find(path.string() + ": is damaged: ") == 0 && error.ends_with("; fetch it again");
  };
  EXPECT_TRUE(damaged(whole.substr(0, whole.size() / 2)));
  EXPECT_TRUE(damaged(whole.substr(0, whole.size() - 1)));
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 0x55);
  EXPECT_TRUE(damaged(flipped));
}

}  // namespace
}  // namespace paribus::registry
