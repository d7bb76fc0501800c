// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

namespace paribus::worker {

/// Threads of this process; a zygote must have one.
int threads_here();

/// A fork of this process that takes nothing along which trials could share but memory: a session,
/// signals and descriptors of its own, output to `log`. Calls `confine`, then exits with what
/// `work` returns. Throws Error.
pid_t fork_trial(const std::filesystem::path& log, const std::function<void()>& confine,
                 const std::function<int()>& work);

/// A fresh process of this program instead, which begins with nothing: it gets `order` and does
/// what `run_fresh` does.
pid_t spawn_trial(const std::filesystem::path& log, const nlohmann::json& order,
                  const std::function<void()>& confine);

/// In such a process: the order that it was given.
nlohmann::json read_order();

/// How a fresh process is told to be one.
inline constexpr const char* kFreshFlag = "--trial";

}  // namespace paribus::worker
