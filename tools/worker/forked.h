// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace paribus::worker {

/// Runs `work` in a fork and returns what it returns; a thrown Error, a crash or an exit() becomes
/// a reply with problems, so that code of a plugin that nobody has run yet can hurt nobody but its
/// fork.
nlohmann::json run_forked(const std::function<nlohmann::json()>& work);

/// {"ok": false, "problems": [{"address", "message"}]} from an error's text, whose start may be an
/// address.
nlohmann::json refusal(const std::string& text);

/// In a fresh fork: dies with its parent.
void die_with_parent(int parent);

/// All of `text`, unless nobody reads it any more.
void write_all(int fd, const std::string& text);
/// All until its end.
std::string read_all(int fd);

}  // namespace paribus::worker
