// SPDX-License-Identifier: Apache-2.0
#include "registry/own_program.h"

#include <system_error>
#include <utility>

namespace paribus::registry {
namespace {

std::filesystem::path& named() {
  static std::filesystem::path program;
  return program;
}

}  // namespace

std::filesystem::path own_program() {
  std::error_code ignored;
  return named().empty() ? std::filesystem::read_symlink("/proc/self/exe", ignored) : named();
}

void stand_for(std::filesystem::path program) { named() = std::move(program); }

}  // namespace paribus::registry
