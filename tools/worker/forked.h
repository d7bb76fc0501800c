// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace paribus::worker {

/// Runs `work` in a fork and returns what it returns; a thrown Error, a crash or an exit() becomes
/// a reply with problems, so that code of a plugin that nobody has run yet can hurt nobody but its
/// fork. It is killed after so many seconds of computing, or of sleep; 0: never. On a busy machine
/// it is late, which doesn't count.
nlohmann::json run_forked(const std::function<nlohmann::json()>& work, int seconds = 0);

/// From now on, a crash of a fork within what the dynamic linker knows as `mapped` is told with the
/// name of `plugin`.
void blame_in_crashes(const std::string& mapped, const std::string& plugin);

/// Within `work`: whom to blame if the fork ends from now on, e.g. a plugin's path.
void now_trying(const std::string& who);

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
