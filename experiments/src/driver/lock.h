// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace paribus::driver {

/// What a `paribus.lock` pins.
struct Lock {
  std::filesystem::path file;
  std::map<std::string, std::string> parts;  // kind/name -> sha256 of the plugin that offers it
  std::string libparibus;                    // sha256

  /// Why a plugin with this sum may not offer these parts, a sentence for each, without the
  /// plugin's name; none if it may.
  [[nodiscard]] std::vector<std::string> objections(const std::vector<std::string>& offered,
                                                    const std::string& sha256) const;
};

/// Of a study's file: beside it. For a study.toml in a study's directory that is the one which the
/// run wrote.
std::filesystem::path lock_beside(const std::filesystem::path& study);

/// Throws Error where there is none, where it isn't one, or where others may write it.
Lock read_lock(const std::filesystem::path& file);

}  // namespace paribus::driver
