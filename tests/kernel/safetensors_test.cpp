// SPDX-License-Identifier: Apache-2.0
#include <ATen/Functions.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "parts.h"

namespace paribus::test {
namespace {

TEST(Safetensors, EveryTypeComesBackBitForBit) {
  const Folder folder;
  NamedTensors written;
  for (const at::ScalarType type :
       {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
        at::kChar, at::kByte, at::kBool, at::kComplexFloat}) {
    const at::Tensor tensor = at::randn({3, 5}).mul(50).to(type);
    written.emplace_back(c10::toString(type), tensor);
  }
  write_safetensors(folder / "all", written);
  const TensorMap read = read_safetensors(folder / "all");
  ASSERT_EQ(read.size(), written.size());
  for (const auto& [name, tensor] : written) EXPECT_TRUE(same_bits(read.at(name), tensor)) << name;
}

TEST(Safetensors, SpecialNumbersKeepTheirBits) {
  const Folder folder;
  const at::Tensor odd = at::tensor({std::nan(""), INFINITY, -INFINITY, -0.0, 5e-324}, at::kDouble);
  write_safetensors(folder / "odd", {{"x", odd}, {"y", odd.to(at::kFloat)}});
  EXPECT_TRUE(same_bits(read_safetensors(folder / "odd").at("x"), odd));
  EXPECT_TRUE(same_bits(read_safetensors(folder / "odd").at("y"), odd.to(at::kFloat)));
}

TEST(Safetensors, EmptyScalarAndStridedTensors) {
  const Folder folder;
  const at::Tensor strided = at::arange(24, at::kFloat).view({2, 3, 4}).permute({2, 0, 1});
  write_safetensors(folder / "x", {{"empty", at::empty({0})},
                                   {"hollow", at::empty({3, 0, 2}, at::kLong)},
                                   {"scalar", at::scalar_tensor(2.5, at::kDouble)},
                                   {"strided", strided},
                                   {"part", strided.select(1, 1)}});
  const TensorMap read = read_safetensors(folder / "x");
  EXPECT_EQ(read.at("empty").sizes(), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(read.at("hollow").sizes(), (std::vector<std::int64_t>{3, 0, 2}));
  EXPECT_EQ(read.at("scalar").dim(), 0);
  EXPECT_EQ(read.at("scalar").item<double>(), 2.5);
  EXPECT_TRUE(same_bits(read.at("strided"), strided));
  EXPECT_TRUE(same_bits(read.at("part"), strided.select(1, 1)));
  write_safetensors(folder / "none", {});
  EXPECT_TRUE(read_safetensors(folder / "none").empty());
}

TEST(Safetensors, NamesMayHoldAnyText) {
  const Folder folder;
  const std::vector<std::string> names{
      "", "a/b.c", "quote\" and \\", "line\nend\x01", "größe", "\xF0\x9F\x8E\xB2"};
  NamedTensors tensors;
  for (const std::string& name : names) tensors.emplace_back(name, at::zeros({1}));
  write_safetensors(folder / "x", tensors, {{"who", "\"me\""}});
  const TensorMap read = read_safetensors(folder / "x");
  ASSERT_EQ(read.size(), names.size());
  for (const std::string& name : names) EXPECT_TRUE(read.contains(name)) << name;
}

TEST(Safetensors, DataAreAlignedAndTheSameTensorsGiveTheSameBytes) {
  const Folder folder;
  const NamedTensors tensors{{"b", at::ones({3}, at::kByte)}, {"d", at::ones({2}, at::kDouble)}};
  write_safetensors(folder / "1", tensors), write_safetensors(folder / "2", tensors);
  const std::string bytes = bytes_of(folder / "1");
  EXPECT_EQ(bytes, bytes_of(folder / "2"));
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  EXPECT_EQ(header % 8, 0U);
  EXPECT_TEXT(bytes, R"("d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]})");
  EXPECT_TEXT(bytes, R"("b":{"dtype":"U8","shape":[3],"data_offsets":[16,19]})");
}

TEST(Safetensors, WhatCouldNotBeReadAgainIsNotWritten) {
  const Folder folder;
  const std::string file = folder / "x";
  write_safetensors(file, {{"old", at::zeros({1})}});
  const auto refused = [&](const NamedTensors& tensors) {
    return error_of([&] { write_safetensors(file, tensors); });
  };
  const at::Tensor one = at::zeros({1});
  EXPECT_EQ(refused({{"a", one}, {"a", one}}),
            file + ": can't write it: two tensors are named 'a'");
  EXPECT_EQ(refused({{"\xC3(", one}}), file + ": can't write it: a tensor's name isn't UTF-8");
  EXPECT_TEXT(refused({{"__metadata__", one}}), "'__metadata__'");
  EXPECT_TEXT(refused({{"c", at::zeros({1}, at::kComplexDouble)}}),
              "tensor 'c' has the type ComplexDouble, which the format lacks");
  EXPECT_TRUE(read_safetensors(file).contains("old"));
}

TEST(Safetensors, AReaderSeesTheOldFileOrTheNewOne) {
  const Folder folder;
  const fs::path file = folder / "x";
  const auto version = [&](double value) {
    write_safetensors(file, {{"a", at::full({4096}, value)}, {"b", at::full({4096}, value)}});
  };
  version(0);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 1; i <= 30; ++i) version(i);
    done = true;
  });
  while (!done) {
    const TensorMap read = read_safetensors(file);
    EXPECT_TRUE(read.at("a").eq(read.at("b")).all().item<bool>());
    EXPECT_EQ(read.at("a").min().item<float>(), read.at("a").max().item<float>());
  }
  writer.join();
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(Safetensors, AFullDiskLeavesTheOldFile) {
  const Folder folder;
  const std::string file = folder / "x";
  write_safetensors(file, {{"old", at::zeros({1})}});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 4096;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string text = error_of([&] {
    write_safetensors(file, {{"new", at::zeros({100'000})}});
  });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_TEXT(text, file + ": can't write it: File too large (");
  EXPECT_TRUE(read_safetensors(file).contains("old"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"x"});
}

TEST(Safetensors, NoSuchFolderIsNamed) {
  const Folder folder;
  const std::string file = folder / "none/x";
  EXPECT_EQ(error_of([&] { write_safetensors(file, {}); }),
            file + ": can't create it: No such file or directory");
  EXPECT_EQ(error_of([&] { read_safetensors(file); }),
            file + ": can't open it: No such file or directory");
}

}  // namespace
}  // namespace paribus::test
