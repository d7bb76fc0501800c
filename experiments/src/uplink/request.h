// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "paribus/spec.h"

namespace paribus::uplink {

/// A tracker of a study, and the plugin that it comes from.
struct TrackerRequest {
  PartSpec part;
  std::vector<std::string> only;  // patterns of the metrics it gets; empty: all
  std::filesystem::path plugin;
  std::string symbol, sha256;
  bool sealed = false;  // a copy of the plugin's bytes is what is loaded

  /// What it is called within its study: `csv`, or the `name` given to it.
  [[nodiscard]] std::string name() const;
};

/// What paribus-uplink is to do: the one line on its stdin. When stdin closes it delivers what is
/// left and ends, in `wait` seconds at most.
struct Request {
  std::filesystem::path dir;
  double wait = 0;
  bool again = false;  // as if nothing had been delivered
  std::vector<TrackerRequest> trackers;
};

nlohmann::json to_json(const Request& request);
/// Throws nlohmann::json::exception, or Error, where it isn't one.
Request request_from(const nlohmann::json& json);

/// `*` stands for any characters, `?` for one. No pattern at all fits everything.
bool fits(const std::vector<std::string>& patterns, std::string_view name);

/// The uplink's own folder within a study's directory.
std::filesystem::path state_folder(const std::filesystem::path& dir);

}  // namespace paribus::uplink
