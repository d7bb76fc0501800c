// SPDX-License-Identifier: Apache-2.0
#include "registry/trust.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <string_view>
#include <system_error>

#include "registry/own_program.h"

namespace paribus::registry {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the kernel follows

std::string name_of(uid_t user) {
  const passwd* entry = ::getpwuid(user);
  return entry == nullptr ? fmt::format("user {}", user)
                          : fmt::format("{} (user {})", entry->pw_name, user);
}

/// Named users of an access control list show in the mode only as rights of the group.
bool has_access_list(const fs::path& path) {
  return ::lgetxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

bool is_within(const fs::path& path, const fs::path& folder) {
  const auto [rest, unused] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return rest == folder.end();
}

std::vector<fs::path> vouched_folders() {
  std::vector<fs::path> folders;
  const char* listed = std::getenv("PARIBUS_TRUSTED_FOLDERS");
  for (std::string_view rest = listed == nullptr ? "" : listed; !rest.empty();) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    std::error_code problem;
    const fs::path folder = fs::canonical(fs::path(rest.substr(0, colon)), problem);
    if (!problem && rest.front() == '/') folders.push_back(folder);
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return folders;
}

std::optional<uid_t> who_called_sudo() {
  const char* text = std::getenv("SUDO_UID");
  if (::geteuid() != 0 || text == nullptr || *text == '\0') return std::nullopt;
  char* end = nullptr;
  const unsigned long user = std::strtoul(text, &end, 10);
  if (*end != '\0') return std::nullopt;
  return static_cast<uid_t>(user);
}

}  // namespace

Trust::Trust() : Trust(::geteuid(), own_program()) {
  if (const auto user = who_called_sudo()) owners_.insert(*user);
}

Trust::Trust(uid_t user, const fs::path& program) : owners_{0, user}, vouched_(vouched_folders()) {
  for (fs::path path = program; !path.empty(); path = path.parent_path()) {
    struct stat about {};
    if (::stat(path.c_str(), &about) == 0) owners_.insert(about.st_uid);
    if (path != program) above_program_.insert(path.string());
    if (path == path.parent_path()) break;
  }
}

std::optional<std::string> Trust::objection_to_file(const fs::path& file) {
  struct stat about {};
  if (::lstat(file.c_str(), &about) != 0 || S_ISLNK(about.st_mode)) return walk(file, Role::file);
  const fs::path folder =
      file.is_absolute()
          ? file.parent_path()
          : fs::absolute(file).parent_path();  // the same for many: the way to it is gone once
  const auto [entry, is_new] = walked_.try_emplace(folder.string());
  if (is_new) entry->second = walk(folder, Role::above);
  return entry->second ? entry->second : look(file, about, Role::file);
}

std::optional<std::string> Trust::objection_to_folder(const fs::path& folder) {
  return walk(folder, Role::folder);
}

/// Goes as the kernel does, so that each folder that decides what is found is looked at.
std::optional<std::string> Trust::walk(const fs::path& path, Role last) {
  std::error_code problem;
  const fs::path start = fs::absolute(path, problem);
  if (problem) return std::nullopt;
  const fs::path names = start.relative_path();
  std::deque<fs::path> left(names.begin(), names.end());
  fs::path at = "/";
  if (auto objection = look_above(at)) return objection;
  for (int links = 0; !left.empty();) {
    const fs::path name = left.front();
    left.pop_front();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      at = at.parent_path();
      continue;
    }
    const fs::path next = at / name;
    const bool is_last = left.empty() || (left.size() == 1 && left.front().empty());
    if (const auto known = known_.find(next.string()); !is_last && known != known_.end()) {
      if (known->second) return known->second;
      at = next;
      continue;
    }
    struct stat about {};
    if (::lstat(next.c_str(), &about) != 0) return std::nullopt;  // whoever opens it will say so
    if (S_ISLNK(about.st_mode)) {
      if (++links > kMostLinks) return std::nullopt;
      if (!owners_.contains(about.st_uid) && !is_exempt(next))
        return fmt::format(
            "is reached by the link {}, which belongs to {}, who is neither you nor "
            "root; name the file itself",
            next.string(), name_of(about.st_uid));
      const fs::path target = fs::read_symlink(next, problem);
      if (problem) return std::nullopt;
      if (target.is_absolute()) at = "/";
      const fs::path more = target.relative_path();
      left.insert(left.begin(), more.begin(), more.end());
      continue;
    }
    auto objection = is_last ? look(next, about, last) : look_above(next);
    if (objection) return objection;
    at = next;
  }
  return std::nullopt;
}

std::optional<std::string> Trust::look_above(const fs::path& folder) {
  const auto [entry, is_new] = known_.try_emplace(folder.string());
  struct stat about {};
  if (is_new && ::lstat(folder.c_str(), &about) == 0)
    entry->second = look(folder, about, Role::above);
  return entry->second;
}

bool Trust::is_exempt(const fs::path& path) const {
  if (above_program_.contains(path.string())) return true;
  return std::any_of(vouched_.begin(), vouched_.end(), [&](const fs::path& folder) {
    return is_within(path, folder) || is_within(folder, path);
  });
}

std::optional<std::string> Trust::look(const fs::path& path, const struct stat& about, Role role) {
  if (is_exempt(path)) return std::nullopt;
  const std::string what =
      role == Role::above ? fmt::format("lies in {}, which ", path.string()) : "";
  const std::string vouch = "or vouch for a folder: PARIBUS_TRUSTED_FOLDERS=FOLDER";
  if (!owners_.contains(about.st_uid)) {
    return fmt::format(
        "{}belongs to {}, who is neither you nor root and could change what runs; "
        "take a copy of your own, {}",
        what, name_of(about.st_uid), vouch);
  }
  const mode_t mode = about.st_mode & 07777U;
  if (role == Role::above && (mode & S_ISVTX) != 0) return std::nullopt;
  const bool by_all = (mode & S_IWOTH) != 0;
  const bool by_group =
      (mode & S_IWGRP) != 0 && (has_access_list(path) || !only_trusted_in(about.st_gid));
  if (!by_all && !by_group) return std::nullopt;
  return fmt::format(
      "{}may be written by {} (mode {:04o}), so that others could change what runs; "
      "run: chmod {} {}, {}",
      what, by_all ? "everyone" : "others of its group", mode, by_all ? "go-w" : "g-w",
      path.string(), vouch);
}

/// As far as the system lists its users.
bool Trust::only_trusted_in(gid_t group) {
  const auto [entry, is_new] = groups_.try_emplace(group, false);
  if (!is_new) return entry->second;
  const struct group* about = ::getgrgid(group);
  if (about == nullptr) return false;
  std::vector<std::string> members;
  for (char** member = about->gr_mem; *member != nullptr; ++member) members.emplace_back(*member);
  for (const std::string& member : members) {
    const passwd* user = ::getpwnam(member.c_str());
    if (user == nullptr || !owners_.contains(user->pw_uid)) return false;
  }
  bool only = true;
  ::setpwent();
  while (const passwd* user = ::getpwent())
    only = only && (user->pw_gid != group || owners_.contains(user->pw_uid));
  ::endpwent();
  return entry->second = only;
}

}  // namespace paribus::registry
