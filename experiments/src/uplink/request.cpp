// SPDX-License-Identifier: Apache-2.0
#include "uplink/request.h"

#include <algorithm>

#include "study/spec_json.h"

namespace paribus::uplink {

namespace {

using nlohmann::json;

bool fits(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, from = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++, from = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1, n = ++from;  // the star takes one more
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

std::string TrackerRequest::name() const { return part.address.substr(part.address.find('.') + 1); }

json to_json(const Request& request) {
  json trackers = json::array();
  for (const TrackerRequest& one : request.trackers) {
    trackers.push_back({{"part", paribus::to_json(one.part)},
                        {"only", one.only},
                        {"plugin", one.plugin.string()},
                        {"symbol", one.symbol},
                        {"sha256", one.sha256},
                        {"sealed", one.sealed}});
  }
  return {{"dir", request.dir.string()},
          {"wait", request.wait},
          {"again", request.again},
          {"trackers", trackers}};
}

Request request_from(const json& from) {
  Request request{
      from.at("dir").get<std::string>(), from.at("wait"), from.value("again", false), {}};
  for (const json& one : from.at("trackers")) {
    request.trackers.push_back({part_spec_from_json(one.at("part")), one.at("only"),
                                one.at("plugin").get<std::string>(), one.at("symbol"),
                                one.at("sha256"), one.at("sealed")});
  }
  return request;
}

bool fits(const std::vector<std::string>& patterns, std::string_view name) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return fits(pattern, name); });
}

std::filesystem::path state_folder(const std::filesystem::path& dir) { return dir / "uplink"; }

}  // namespace paribus::uplink
