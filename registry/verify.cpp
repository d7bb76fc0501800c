// SPDX-License-Identifier: Apache-2.0
#include "registry/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "paribus/abi.h"
#include "paribus/error.h"

namespace paribus::registry {
namespace {

constexpr std::string_view kRebuild = "rebuild it with `cmake --build BUILD` in its own folder";
constexpr std::array<std::string_view, 4> kLevels{"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};

std::string this_compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

/// The same features that the kernel's manifest.h looks at when it states a plugin's level.
std::string this_cpu() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2") == 0) return "x86-64";
  if (__builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0) return "x86-64-v2";
  const bool wide = __builtin_cpu_supports("avx512f") != 0 &&
                    __builtin_cpu_supports("avx512bw") != 0 &&
                    __builtin_cpu_supports("avx512vl") != 0;
  return wide ? "x86-64-v4" : "x86-64-v3";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown";
#endif
}

/// "2.13.0+cpu" and "2.13.0+cu130" have one C++ interface.
std::string_view release(std::string_view version) { return version.substr(0, version.find('+')); }

void verify_compiler(const PartSchema& part, const Host& host) {
  const bool known = part.compiler.starts_with("gcc ") || part.compiler.starts_with("clang ");
  if (known) return;
  throw Error(
      fmt::format("was built by '{}', this Paribus by '{}', and only gcc and clang are known to "
                  "agree on the C++ "
                  "ABI; rebuild it with CXX=g++ or CXX=clang++ in a fresh build folder",
                  part.compiler, host.compiler));
}

void verify_cpu(const PartSchema& part, const Host& host) {
  const auto needed = std::find(kLevels.begin(), kLevels.end(), part.cpu);
  const auto present = std::find(kLevels.begin(), kLevels.end(), host.cpu);
  const bool same_family = (needed == kLevels.end()) == (present == kLevels.end());
  const bool enough = needed == kLevels.end() ? part.cpu == host.cpu : needed <= present;
  if (same_family && enough) return;
  throw Error(
      fmt::format("was built for CPUs of level {}, this machine has {}; rebuild it here, or with "
                  "CXXFLAGS=-march={} in a fresh build folder",
                  part.cpu, host.cpu, host.cpu));
}

}  // namespace

const Host& this_host() {
  static const Host kHost{PARIBUS_ABI, PARIBUS_TORCH_VERSION, this_compiler(), this_cpu()};
  return kHost;
}

void verify(const PartSchema& part, const Host& host) {
  if (part.abi != host.abi) {
    throw Error(fmt::format("was built against kernel ABI {}, this Paribus has {}; {}", part.abi,
                            host.abi, kRebuild));
  }
  if (release(part.libtorch) != release(host.libtorch)) {
    throw Error(fmt::format("was built against LibTorch {}, this Paribus uses {}; {}",
                            part.libtorch, host.libtorch, kRebuild));
  }
  verify_compiler(part, host);
  verify_cpu(part, host);
}

}  // namespace paribus::registry
