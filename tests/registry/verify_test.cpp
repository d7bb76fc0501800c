// SPDX-License-Identifier: Apache-2.0
#include "registry/verify.h"

#include <gtest/gtest.h>

#include "paribus/abi.h"
#include "temporary.h"

namespace paribus::registry {
namespace {

using test::error_of;

const Host kHost{"aaaa", "2.13.0", "gcc 12.2.0", "x86-64-v3"};

PartSchema part() {
  PartSchema result;
  result.abi = "aaaa", result.libtorch = "2.13.0", result.compiler = "gcc 12.2.0",
  result.cpu = "x86-64";
  return result;
}

std::string refusal(const PartSchema& schema, const Host& host = kHost) {
  return error_of([&] { verify(schema, host); });
}

TEST(Verify, TakesWhatAgrees) {
  PartSchema schema = part();
  EXPECT_EQ(refusal(schema), "no error");
  schema.compiler = "clang 14.0.6 (a distribution)";
  schema.libtorch = "2.13.0+cu130";
  EXPECT_EQ(refusal(schema), "no error");
  schema.compiler = "gcc 15.1.0";
  EXPECT_EQ(refusal(schema), "no error");
}

TEST(Verify, RefusesAnotherKernel) {
  PartSchema schema = part();
  schema.abi = "bbbb";
  EXPECT_EQ(refusal(schema),
            "was built against kernel ABI bbbb, this Paribus has aaaa; rebuild it with "
            "`cmake --build BUILD` in its own folder");
}

TEST(Verify, RefusesAnotherLibTorch) {
  PartSchema schema = part();
  for (const char* version : {"2.12.0", "2.13.1", "2.13", "12.13.0", ""}) {
    schema.libtorch = version;
    EXPECT_EQ(
        refusal(schema),
        std::string("was built against LibTorch ") + version +
            ", this Paribus uses 2.13.0; rebuild it with `cmake --build BUILD` in its own folder");
  }
}

TEST(Verify, RefusesAnUnknownCompiler) {
  PartSchema schema = part();
  schema.compiler = "icc 2021.10";
  EXPECT_EQ(
      refusal(schema),
      "was built by 'icc 2021.10', this Paribus by 'gcc 12.2.0', and only gcc and clang are known "
      "to agree on the C++ ABI; rebuild it with CXX=g++ or CXX=clang++ in a fresh build folder");
}

TEST(Verify, HoldsTheLevelsOfCpus) {
  const std::vector<std::string> levels{"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};
  for (std::size_t needed = 0; needed < levels.size(); ++needed) {
    for (std::size_t present = 0; present < levels.size(); ++present) {
      PartSchema schema = part();
      schema.cpu = levels[needed];
      Host host = kHost;
      host.cpu = levels[present];
      EXPECT_EQ(refusal(schema, host) == "no error", needed <= present)
          << schema.cpu << " on " << host.cpu;
    }
  }
  PartSchema schema = part();
  schema.cpu = "x86-64-v4";
  EXPECT_EQ(
      refusal(schema),
      "was built for CPUs of level x86-64-v4, this machine has x86-64-v3; rebuild it here, or with "
      "CXXFLAGS=-march=x86-64-v3 in a fresh build folder");
}

TEST(Verify, RefusesAnotherFamilyOfCpus) {
  PartSchema schema = part();
  Host arm = kHost;
  arm.cpu = "aarch64";
  for (const char* cpu : {"aarch64", "unknown", "", "x86-64-v9"}) {
    schema.cpu = cpu;
    EXPECT_NE(refusal(schema), "no error") << cpu;
  }
  schema.cpu = "aarch64";
  EXPECT_EQ(refusal(schema, arm), "no error");
  schema.cpu = "x86-64";
  EXPECT_NE(refusal(schema, arm), "no error");
}

TEST(Verify, KnowsThisProgramAndMachine) {
  EXPECT_EQ(this_host().abi, PARIBUS_ABI);
  EXPECT_EQ(this_host().libtorch, PARIBUS_TORCH_VERSION);
  const std::string family = this_host().compiler.substr(0, this_host().compiler.find(' '));
  EXPECT_TRUE(family == "gcc" || family == "clang") << family;
}

}  // namespace
}  // namespace paribus::registry
