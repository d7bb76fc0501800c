// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "driver/check.h"

namespace paribus::driver {

/// What `paribus.lock` says: the plugins used with their sums, LibTorch, compiler, CPU, and the
/// state of the git tree in which the study's file lies.
nlohmann::json lock_of(const CheckedStudy& checked, const nlohmann::json& machine);

/// `commit`, `dirty` and, where it is, `diff` (against HEAD, at most 1 MiB) of the git tree around
/// a folder; null if there is none or no git.
nlohmann::json git_state(const std::filesystem::path& folder);

/// The processor's name as the system gives it.
std::string cpu_model();

}  // namespace paribus::driver
