// SPDX-License-Identifier: Apache-2.0
#include "registry/manifest.h"

#include <fmt/format.h>

#include <algorithm>

#include "paribus/error.h"

namespace paribus::registry {
namespace {

constexpr std::size_t kMaxLine = 64 << 10;  // the kernel's macro makes at most 16 KiB
constexpr std::size_t kMaxParts = 256;
constexpr int kMaxDepth = 6;  // object, params, field, default are 4
constexpr std::string_view kRebuild =
    "rebuild the plugin, and don't write into section .paribus by hand";
constexpr std::string_view kEnds{"\n\0", 2};

/// The parser's memory grows with depth, so depth is seen to before.
bool too_deep(std::string_view line) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++i;  // what it escapes
    if (quoted) continue;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) return true;
  }
  return false;
}

PartSchema parse_line(std::string_view line, std::size_t number) {
  if (line.size() > kMaxLine) {
    throw Error(fmt::format("manifest {} has {} bytes, expected at most {}; {}", number,
                            line.size(), kMaxLine, kRebuild));
  }
  if (too_deep(line))
    throw Error(fmt::format("manifest {} is nested too deeply; {}", number, kRebuild));
  try {
    return schema_from_json(nlohmann::json::parse(line));
  } catch (const nlohmann::json::parse_error& problem) {
    throw Error(fmt::format("manifest {} is not JSON, see its byte {}; {}", number, problem.byte,
                            kRebuild));
  } catch (const nlohmann::json::exception& problem) {
    throw Error(
        fmt::format("manifest {} can't be read ({}); {}", number, problem.what(), kRebuild));
  } catch (const Error& problem) {
    std::string_view what = problem.what();
    if (what.starts_with("manifest")) what.remove_prefix(8);  // which one is said here
    throw Error(fmt::format("manifest {}{}; {}", number, what, kRebuild));
  }
}

}  // namespace

std::vector<PartSchema> parse_manifests(std::string_view section) {
  std::vector<PartSchema> parts;
  for (std::size_t at = section.find_first_not_of(kEnds); at != std::string_view::npos;) {
    const std::string_view rest = section.substr(at, section.find('\n', at) - at);
    const std::size_t end = at + std::min(rest.find('\0'), rest.size());
    if (parts.size() == kMaxParts) {
      throw Error(
          fmt::format("offers more than {} parts; split it into several plugins", kMaxParts));
    }
    PartSchema part = parse_line(section.substr(at, end - at), parts.size() + 1);
    for (const PartSchema& other : parts) {
      if (other.kind != part.kind || other.name != part.name) continue;
      throw Error(
          fmt::format("offers {}/{} twice; rename one of them and rebuild", part.kind, part.name));
    }
    parts.push_back(std::move(part));
    at = section.find_first_not_of(kEnds, end);
  }
  if (parts.empty())
    throw Error(
        "has an empty section .paribus; put PARIBUS_PART last in its source and rebuild it");
  return parts;
}

}  // namespace paribus::registry
