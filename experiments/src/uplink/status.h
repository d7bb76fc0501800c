// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace paribus::uplink {

/// How far a tracker has come, as its process last said.
struct Status {
  std::string name{}, part{};  // part: tracker/csv
  /// delivering, waiting, up to date, gave up; incomplete: journals can't be read, all else is
  /// delivered; unreadable: its own file is
  std::string state{};
  std::string problem{};    // the last one, "" if there is none now
  std::int64_t points = 0;  // delivered, in all
  std::int64_t trials = 0;  // that something is left to deliver of
  bool running = false;     // its process lives; set by `statuses`

  [[nodiscard]] bool is_behind() const { return state != "up to date"; }
};

nlohmann::json to_json(const Status& status);

/// In words, without the tracker's name.
std::string in_words(const Status& status);

/// Puts it beside the tracker's positions, whole or not at all.
void write_status(const std::filesystem::path& dir, const Status& status);

/// Of every tracker that a study's directory knows, by name.
std::vector<Status> statuses(const std::filesystem::path& dir);

}  // namespace paribus::uplink
