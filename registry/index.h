// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "registry/elf.h"

namespace paribus::registry {

/// What was read from plugins before: the raw text of their sections by file identity, checked by a
/// CRC-32. It is only ever a copy: damaged, alien or missing it costs time and nothing else, and
/// its texts are parsed as carefully as those of the files.
class SectionIndex {
 public:
  /// `$XDG_CACHE_HOME/paribus/plugins.index` or `~/.cache/paribus/plugins.index`; nothing where
  /// neither is set.
  static std::optional<std::filesystem::path> default_file();
  static SectionIndex load(const std::filesystem::path& file);

  /// nullptr if there is none.
  [[nodiscard]] const std::string* find(const FileIdentity& identity);
  /// Not kept for a file that changed within the last two seconds: it might change again without a
  /// new time.
  void put(const ManifestSection& section);
  /// Writes a new file and renames it over the old one, if `put` kept anything. Whatever fails
  /// leaves the old one.
  void save(const std::filesystem::path& file) const;

 private:
  std::map<FileIdentity, std::string> sections_;
  std::set<FileIdentity> used_;  // these come first when there are too many
  bool changed_ = false;
};

}  // namespace paribus::registry
