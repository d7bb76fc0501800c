// SPDX-License-Identifier: Apache-2.0
// Files that no writer of ours made: each is refused with the file's name and what is wrong.
#include <ATen/Functions.h>

#include <random>

#include "parts.h"

namespace paribus::test {
namespace {

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + rest;
}

/// A whole file: header and so many bytes of data.
std::string file_of(const std::string& header, std::size_t data = 0) {
  return with_length(header.size(), header + std::string(data, 'x'));
}

std::string tensor(const std::string& name, const std::string& type, const std::string& shape,
                   const std::string& offsets) {
  return '"' + name + R"(":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + '}';
}

class Hostile : public ::testing::Test {
 protected:
  /// What is said after the file's name.
  std::string refusal(const std::string& bytes) {
    const std::string file = folder_ / "bad.safetensors";
    write_bytes(file, bytes);
    const std::string text = error_of([&] { read_safetensors(file); });
    EXPECT_EQ(text.rfind(file + ": ", 0), 0U) << text;
    return text.substr(std::min(text.size(), file.size() + 2));
  }

  Folder folder_;
};

TEST_F(Hostile, CutAnywhere) {
  const fs::path file = folder_ / "good";
  write_safetensors(file, {{"a", at::ones({2, 2})}, {"b", at::ones({3}, at::kByte)}});
  const std::string bytes = bytes_of(file);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(refusal(bytes.substr(0, size)).empty()) << size;
  EXPECT_EQ(refusal(bytes.substr(0, bytes.size() - 1)),
            "the tensors need 19 bytes of data, the file has 18; it is cut off or damaged");
  EXPECT_EQ(refusal(bytes + "tail"),
            "the tensors need 19 bytes of data, the file has 23; it is cut off or damaged");
}

TEST_F(Hostile, LengthsThatLie) {
  EXPECT_EQ(refusal(with_length(1ULL << 40, "{}")),
            "not a safetensors file: it has 10 bytes, expected 8 and a header of 1099511627776");
  EXPECT_EQ(refusal(with_length(~0ULL, "{}")),
            "not a safetensors file: it has 10 bytes, expected 8 and a header of "
            "18446744073709551615");
  EXPECT_EQ(refusal(with_length(0, "")), "not a safetensors file: expected '{' at header byte 0");
}

TEST_F(Hostile, Offsets) {
  const auto two = [&](const std::string& a, const std::string& b, std::size_t data) {
    return refusal(
        file_of('{' + tensor("a", "U8", "[4]", a) + ',' + tensor("b", "U8", "[4]", b) + '}', data));
  };
  EXPECT_EQ(two("[0,4]", "[2,6]", 8),
            "tensor 'b' starts at data byte 2, expected 4; the file is damaged");
  EXPECT_EQ(two("[0,4]", "[5,9]", 9),
            "tensor 'b' starts at data byte 5, expected 4; the file is damaged");
  EXPECT_EQ(two("[0,4]", "[0,4]", 8),
            "tensor 'b' starts at data byte 0, expected 4; the file is damaged");
  EXPECT_EQ(two("[0,4]", "[4,0]", 4),
            "tensor 'b' starts at data byte 4, expected 4; the file is damaged");
  EXPECT_TEXT(two("[0,4]", "[4,8000000000]", 8), "the tensors need 8000000000 bytes of data");
  EXPECT_TEXT(two("[-4,0]", "[0,4]", 4), "expected a number of at least 0 at header byte");
  EXPECT_TEXT(two("[0,99999999999999999999]", "[4,8]", 8), "a number too large");
  EXPECT_TEXT(two("[0]", "[4,8]", 8), "data_offsets without two numbers");
  EXPECT_TEXT(two("[0.0,4.0]", "[4,8]", 8), "expected ']'");
  EXPECT_TEXT(two("[0,1e1]", "[4,8]", 8), "expected ']'");
}

TEST_F(Hostile, ShapesAndTypes) {
  const auto one = [&](const std::string& type, const std::string& shape, std::size_t data = 8) {
    return refusal(
        file_of('{' + tensor("a", type, shape, "[0," + std::to_string(data) + "]") + '}', data));
  };
  EXPECT_EQ(one("F32", "[3]"), "tensor 'a': shape and number of bytes disagree");
  EXPECT_EQ(one("F64", "[1152921504606846977]"), "tensor 'a' is larger than memory can be");
  EXPECT_EQ(one("U8", "[0,4611686018427387904,4611686018427387904]", 0),
            "tensor 'a' is larger than memory can be");
  EXPECT_EQ(one("F32", "[4294967296,4294967296,4294967296]"),
            "tensor 'a' is larger than memory can be");
  EXPECT_TEXT(one("F32", "[-2]"), "expected a number of at least 0");
  EXPECT_TEXT(one("F32", "[2"), "expected a number of at least 0");
  EXPECT_EQ(one("f32", "[2]"),
            "tensor 'a' has the type 'f32', expected one of F64 F32 F16 BF16 I64 I32 I16 I8 U8 "
            "BOOL C64");
  EXPECT_TEXT(one("F8_E4M3", "[8]"), "has the type 'F8_E4M3', expected one of");
  std::string dims = "[1";
  for (int i = 0; i < 100; ++i) dims += ",1";
  EXPECT_TEXT(one("U8", dims + "]"), "a shape of more than 64 dimensions");
}

TEST_F(Hostile, Names) {
  const std::string a = tensor("a", "U8", "[4]", "[0,4]");
  const std::string again = tensor("a", "U8", "[4]", "[4,8]");
  EXPECT_EQ(refusal(file_of('{' + a + ',' + again + '}', 8)), "tensor 'a' is there twice");
  const auto named = [&](const std::string& name) {
    return refusal(file_of('{' + tensor(name, "U8", "[0]", "[0,0]") + '}'));
  };
  for (const char* name : {"\xFF", "\xC3(", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80",
                           "\xE2\x82", "\xF0\x80\x80\x80"}) {
    EXPECT_TEXT(named(name), "not a safetensors file: a text that isn't UTF-8 at header byte");
  }
  EXPECT_TEXT(named("\n"), "a control character in a text");
  EXPECT_TEXT(named("\\x"), "a bad escape");
  EXPECT_TEXT(named("\\u12G4"), "a bad escape");
  EXPECT_TEXT(named("\\ud83d"), "half a character");
  EXPECT_TEXT(named("\\ud83d\\u0041"), "half a character");
  EXPECT_TEXT(named("\\udc00"), "isn't UTF-8");
}

TEST_F(Hostile, EscapedCharactersAreReadAsOne) {
  const fs::path file = folder_ / "x";
  write_bytes(file, file_of('{' + tensor("\\ud83c\\uDFB2\\u00e9\\n", "U8", "[0]", "[0,0]") + '}'));
  EXPECT_TRUE(read_safetensors(file).contains("\xF0\x9F\x8E\xB2\xC3\xA9\n"));
}

TEST_F(Hostile, Json) {
  const auto header = [&](const std::string& text) { return refusal(file_of(text)); };
  EXPECT_TEXT(header(std::string(1'000'000, '[')), "expected '{' at header byte 0");
  EXPECT_TEXT(header("{\"a\":" + std::string(1'000'000, '{')), "expected '\"'");
  EXPECT_TEXT(header(R"({"a":{"shape":)" + std::string(1'000'000, '[')), "expected a number");
  EXPECT_TEXT(header(R"({"__metadata__":{"a":{"b":1}}})"), "expected '\"'");
  EXPECT_TEXT(header(R"({"a":{"dtype":"U8","shape":[0],"dtype":"U8"}})"),
              "a key of tensor 'a' twice");
  EXPECT_TEXT(header(R"({"a":{"dtype":"U8","shape":[0]}})"),
              "tensor 'a' lacks dtype, shape or data_offsets");
  EXPECT_TEXT(header(R"({"a":{"dtype":"U8","stride":[0]}})"), "unknown key 'stride'");
  EXPECT_TEXT(header("{} x"), "text after the header's end at header byte 3");
  EXPECT_TEXT(header(std::string("{}\0", 3)), "text after the header's end at header byte 2");
  EXPECT_TEXT(header("{,}"), "expected '\"'");
  EXPECT_TEXT(header("{\"a"), "expected '\"'");
  EXPECT_TEXT(header("{\"a\\"), "expected '\"'");
}

TEST_F(Hostile, AFolderIsNoFile) {
  const std::string folder = folder_.path();
  EXPECT_EQ(error_of([&] { read_safetensors(folder); }).rfind(folder + ": can't ", 0), 0U);
}

TEST_F(Hostile, ChangedBytesAreReadOrRefused) {
  const fs::path good = folder_ / "good", bad = folder_ / "bad";
  write_safetensors(good, {{"a", at::ones({2, 2})}, {"b", at::ones({3}, at::kByte)}},
                    {{"format", "pt"}});
  const std::string bytes = bytes_of(good);
  std::mt19937 random(1);  // NOLINT: the same damage each time
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    std::string damaged = bytes;
    for (unsigned n = 1 + random() % 3; n > 0; --n)
      damaged[random() % (bytes.size() - 19)] = static_cast<char>(random());
    write_bytes(bad, damaged);
    try {
      static_cast<void>(read_safetensors(bad));
    } catch (const Error& error) {
      ++refused;
      EXPECT_TEXT(std::string(error.what()), bad.string());
    }
  }
  EXPECT_GT(refused, 150);
}

}  // namespace
}  // namespace paribus::test
