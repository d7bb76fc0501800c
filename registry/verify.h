// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "registry/schema.h"

namespace paribus::registry {

/// What a plugin must agree with to be loaded into this program's worker.
struct Host {
  std::string abi;       // hash of the kernel's public headers
  std::string libtorch;  // "2.13.0"
  std::string compiler;  // "gcc 12.2.0"
  std::string cpu;       // what this machine can run: "x86-64-v3"
};

/// This program on this machine.
const Host& this_host();

/// Throws Error with one sentence, both sides and the remedy, without the file's name, where the
/// part can't be loaded: another kernel ABI, another LibTorch, a compiler that doesn't share our
/// C++ ABI, a CPU level above the machine's.
void verify(const PartSchema& part, const Host& host);

}  // namespace paribus::registry
