// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace paribus::registry {

/// Whether anyone but the user and root could change a file, or put another in its place: by its
/// own owner and mode, and by those of every folder on the way to it, links followed.
///
/// Trusted owners are root, the user, who called sudo, and whoever owns the running program or a
/// folder above it: they could as well replace the program. A group may write where it is empty but
/// for those (a user's private group). A folder that everyone may write is no danger to what others
/// own in it where it is sticky (/tmp). What $PARIBUS_TRUSTED_FOLDERS names (absolute paths, by
/// colons) isn't looked at, nor what is in it or above it.
class Trust {
 public:
  /// Of this process.
  Trust();
  /// As `user`, with a program that lies at `program`: for tests.
  Trust(uid_t user, const std::filesystem::path& program);

  /// Nothing where all is well, or where there is no such file; else what is wrong with it and what
  /// to do, as a sentence without its first word, the path.
  [[nodiscard]] std::optional<std::string> objection_to_file(const std::filesystem::path& file);
  /// Of a folder whose every file is taken: being sticky doesn't help it.
  [[nodiscard]] std::optional<std::string> objection_to_folder(const std::filesystem::path& folder);

 private:
  enum class Role { file, folder, above };

  std::optional<std::string> walk(const std::filesystem::path& path, Role last);
  std::optional<std::string> look(const std::filesystem::path& path, const struct stat& about,
                                  Role role);
  std::optional<std::string> look_above(const std::filesystem::path& folder);
  [[nodiscard]] bool is_exempt(const std::filesystem::path& path) const;
  bool only_trusted_in(gid_t group);

  std::set<uid_t> owners_;
  std::set<std::string> above_program_;
  std::vector<std::filesystem::path> vouched_;
  std::map<std::string, std::optional<std::string>> known_;   // of single folders above others
  std::map<std::string, std::optional<std::string>> walked_;  // of those with all above them
  std::map<gid_t, bool> groups_;
};

}  // namespace paribus::registry
