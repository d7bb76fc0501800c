// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
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

/// Parts that aren't in plugins, found when a study names them.
class PartSource {
 public:
  virtual ~PartSource() = default;
  /// Whether such a name is one of its own, e.g. "python:module:Name".
  [[nodiscard]] virtual bool serves(std::string_view kind, std::string_view name) const = 0;
  /// The same object each time. Throws Error with what is wrong with it.
  virtual const PartSchema& find(const std::string& kind, const std::string& name) = 0;
  /// Those that have been found, by kind and name.
  [[nodiscard]] virtual std::vector<const PartSchema*> found() const = 0;
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

  void add(std::shared_ptr<PartSource> source) { source_ = std::move(source); }

  /// Throws Error where a source has a part of that name, and something is wrong with it.
  [[nodiscard]] const PartSchema* find(std::string_view kind, std::string_view name) const;
  /// Those of a plugin or a source file.
  [[nodiscard]] std::vector<const PartSchema*> parts_of(const std::filesystem::path& plugin) const;
  [[nodiscard]] std::vector<std::string> names(std::string_view kind) const;
  [[nodiscard]] const std::vector<PartSchema>& parts() const {
    return parts_;
  }  // by kind, then name
  [[nodiscard]] const std::vector<Refusal>& refusals() const { return refusals_; }

 private:
  std::vector<PartSchema> parts_;
  std::vector<Refusal> refusals_;
  std::shared_ptr<PartSource> source_;
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
