// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/schema.h"

namespace paribus::registry {

/// A file or folder on the search path that offers nothing, and why, in one sentence with what to
/// do.
struct Refusal {
  std::filesystem::path file;
  std::string reason;
};

/// All parts on a search path. Reading runs nothing of a plugin; an index in the user's cache
/// folder, keyed by file identity (device, inode, size, mtime), makes the second look cheap.
class Catalog {
 public:
  /// The order of the design: `first` (the study's own folders), $PARIBUS_PLUGINS, the user's data
  /// folder, those of packages, the built-in folder beside the program. Folders that don't exist
  /// are passed over, but for those in `first` (Error).
  static std::vector<std::filesystem::path> search_path(
      const std::vector<std::filesystem::path>& first);
  /// Throws Error naming both files where two parts have one kind and name.
  static Catalog scan(const std::vector<std::filesystem::path>& folders);
  /// Of parts that are known already, e.g. in a test; each kind and name once.
  static Catalog of(std::vector<PartSchema> parts);

  [[nodiscard]] const PartSchema* find(std::string_view kind, std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names(std::string_view kind) const;
  [[nodiscard]] const std::vector<PartSchema>& parts() const {
    return parts_;
  }  // by kind, then name
  [[nodiscard]] const std::vector<Refusal>& refusals() const { return refusals_; }

 private:
  std::vector<PartSchema> parts_;
  std::vector<Refusal> refusals_;
};

/// Where the user's own plugins lie, whether there is such a folder or not; nothing without a home.
std::optional<std::filesystem::path> users_folder();
/// Where packages put plugins: in the active Python environment, beside this program, on this
/// machine; whether there are such folders or not.
std::vector<std::filesystem::path> packaged_folders();
/// That of the plugins beside this program.
std::optional<std::filesystem::path> built_in_folder();

/// The kinds, in the order in which people think of them.
const std::vector<std::string>& kinds();

}  // namespace paribus::registry
