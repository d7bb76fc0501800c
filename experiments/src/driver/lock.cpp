// SPDX-License-Identifier: Apache-2.0
#include "driver/lock.h"

#include <fmt/core.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "paribus/error.h"
#include "registry/trust.h"

namespace paribus::driver {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kWrite = "write one with: paribus plugins lock STUDY.toml";

Lock parse(const fs::path& file, const json& written) {
  Lock lock{file, {}, {}};
  for (const json& plugin : written.at("plugins")) {
    const std::string sum = plugin.at("sha256");
    for (const json& part : plugin.at("parts")) lock.parts[part.get<std::string>()] = sum;
  }
  lock.libparibus = written.at("libparibus").at("sha256");
  return lock;
}

}  // namespace

std::vector<std::string> Lock::objections(const std::vector<std::string>& offered,
                                          const std::string& sha256) const {
  std::vector<std::string> problems;
  for (const std::string& part : offered) {
    const auto pinned = parts.find(part);
    if (pinned == parts.end()) {
      problems.push_back(
          fmt::format("{} is not pinned by {}; if it is to be used, pin it with: paribus plugins "
                      "lock STUDY.toml",
                      part, file.string()));
    } else if (pinned->second != sha256) {
      problems.push_back(fmt::format(
          "{} has sha256 {}, {} pins {}; put the pinned file back, or, if the change is wanted, "
          "pin it with: paribus plugins lock STUDY.toml",
          part, sha256, file.string(), pinned->second));
    }
  }
  return problems;
}

fs::path lock_beside(const fs::path& study) {
  return fs::absolute(study).lexically_normal().parent_path() / "paribus.lock";
}

Lock read_lock(const fs::path& file) {
  if (const auto objection = registry::Trust().objection_to_file(file))
    throw Error(fmt::format("{}: {}", file.string(), *objection));
  std::ifstream in(file);
  if (!in) {
    throw Error(fmt::format("--locked: there is no lock at {} that could be read; {}",
                            file.string(), kWrite));
  }
  const json written = json::parse(in, nullptr, /*allow_exceptions=*/false);
  try {
    return parse(file, written);
  } catch (const json::exception&) {
    throw Error(fmt::format("{}: is no lock of plugins; {}", file.string(), kWrite));
  }
}

}  // namespace paribus::driver
