// SPDX-License-Identifier: Apache-2.0
#include "registry/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "paribus/error.h"
#include "registry/elf.h"
#include "registry/index.h"
#include "registry/manifest.h"
#include "registry/trust.h"
#include "registry/verify.h"

namespace paribus::registry {
namespace {

namespace fs = std::filesystem;

fs::path normal(const fs::path& path) {
  std::error_code problem;
  const fs::path result = fs::absolute(path, problem).lexically_normal();
  if (problem) return path;
  return result.has_filename() ? result : result.parent_path();  // without the last '/'
}

void add_folder(std::vector<fs::path>& folders, const fs::path& folder) {
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) folders.push_back(normal(folder));
}

}  // namespace

std::optional<fs::path> users_folder() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return fs::path(data) / "paribus" / "plugins";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/')
    return fs::path(home) / ".local" / "share" / "paribus" / "plugins";
  return std::nullopt;
}

std::optional<fs::path> built_in_folder() {
  std::error_code problem;
  const fs::path program = fs::read_symlink("/proc/self/exe", problem);
  if (problem) return std::nullopt;
  return program.parent_path().parent_path() / "lib" / "paribus" / "plugins";
}

std::vector<fs::path> packaged_folders() {
  const fs::path inside = fs::path("lib") / "paribus" / "site-plugins";
  std::vector<fs::path> folders;
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    const char* prefix = std::getenv(variable);
    if (prefix != nullptr && *prefix == '/') folders.push_back(prefix / inside);
  }
  if (const auto built_in = built_in_folder())
    folders.push_back(built_in->parent_path() / inside.filename());
  folders.push_back("/usr/local" / inside);
  folders.push_back("/usr" / inside);
  return folders;
}

namespace {

/// The shared libraries of a folder by name, so that a scan says the same each time.
std::vector<fs::path> libraries(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return files;
}

std::vector<PartSchema> read_file(const fs::path& file, const FileIdentity& identity,
                                  SectionIndex& index) {
  if (const std::string* known = index.find(identity)) return parse_manifests(*known);
  const ManifestSection section = read_section(file);
  std::vector<PartSchema> parts = parse_manifests(section.text);
  index.put(section);
  return parts;
}

std::size_t order(std::string_view kind) {
  return static_cast<std::size_t>(std::find(kinds().begin(), kinds().end(), kind) -
                                  kinds().begin());
}

std::pair<std::size_t, std::string_view> place(const PartSchema& part) {
  return {order(part.kind), part.name};
}

bool before(const PartSchema& a, const PartSchema& b) { return place(a) < place(b); }

/// Goes through folders and keeps what it finds.
class Scan {
 public:
  explicit Scan(SectionIndex& index) : index_(index) {}

  void folder(const fs::path& folder) {
    if (const auto objection = trust_.objection_to_folder(folder)) {
      refusals.push_back({folder, *objection});
      return;
    }
    try {
      for (const fs::path& path : libraries(folder)) file(path);
    } catch (const fs::filesystem_error& problem) {
      const std::string why = problem.code().message();
      refusals.push_back(
          {folder, fmt::format("can't be listed: {}; check the path and its permissions", why)});
    }
  }

  std::vector<PartSchema> parts;
  std::vector<Refusal> refusals;

 private:
  void file(const fs::path& path) {
    try {
      const FileIdentity identity = identify(path);
      if (!seen_.emplace(identity.device, identity.inode).second)
        return;  // by another way to the same file
      if (const auto objection = trust_.objection_to_file(path)) throw Error(*objection);
      std::vector<PartSchema> found = read_file(path, identity, index_);
      for (PartSchema& part : found) {
        verify(part, this_host());
        part.plugin = path;
      }
      std::move(found.begin(), found.end(), std::back_inserter(parts));
    } catch (const Error& problem) {
      refusals.push_back({path, problem.what()});
    }
  }

  SectionIndex& index_;
  Trust trust_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
};

void refuse_twins(const std::vector<PartSchema>& parts) {
  const auto same = [](const PartSchema& a, const PartSchema& b) { return place(a) == place(b); };
  const auto twin = std::adjacent_find(parts.begin(), parts.end(), same);
  if (twin == parts.end()) return;
  throw Error(
      fmt::format("{}/{}: is in two plugins, {} and {}; remove one of them or rename its part",
                  twin->kind, twin->name, twin->plugin.string(), std::next(twin)->plugin.string()));
}

}  // namespace

std::vector<fs::path> Catalog::search_path(const std::vector<fs::path>& first) {
  std::vector<fs::path> folders;
  for (const fs::path& folder : first) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) {
      throw Error(fmt::format(
          "{}: is not a folder, expected one that holds plugins; correct `plugins` in [study]",
          folder.string()));
    }
    folders.push_back(normal(folder));
  }
  const char* listed = std::getenv("PARIBUS_PLUGINS");
  for (std::string_view rest = listed == nullptr ? "" : listed; !rest.empty();) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    if (colon != 0) add_folder(folders, rest.substr(0, colon));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  if (const auto folder = users_folder()) add_folder(folders, *folder);
  for (const fs::path& folder : packaged_folders()) add_folder(folders, folder.native());
  if (const auto folder = built_in_folder()) add_folder(folders, *folder);
  return folders;
}

Catalog Catalog::scan(const std::vector<fs::path>& folders) {
  const auto index_file = SectionIndex::default_file();
  SectionIndex index = index_file ? SectionIndex::load(*index_file) : SectionIndex{};
  Scan scan(index);
  for (const fs::path& folder : folders) scan.folder(folder);
  if (index_file) index.save(*index_file);

  Catalog catalog = of(std::move(scan.parts));
  catalog.refusals_ = std::move(scan.refusals);
  return catalog;
}

Catalog Catalog::of(std::vector<PartSchema> parts) {
  Catalog catalog;
  catalog.parts_ = std::move(parts);
  std::stable_sort(catalog.parts_.begin(), catalog.parts_.end(), before);
  refuse_twins(catalog.parts_);
  return catalog;
}

const PartSchema* Catalog::find(std::string_view kind, std::string_view name) const {
  const auto sought = std::pair(order(kind), name);
  const auto found =
      std::lower_bound(parts_.begin(), parts_.end(), sought,
                       [](const PartSchema& part, const auto& key) { return place(part) < key; });
  return found != parts_.end() && place(*found) == sought ? &*found : nullptr;
}

std::vector<std::string> Catalog::names(std::string_view kind) const {
  std::vector<std::string> result;
  for (const PartSchema& part : parts_) {
    if (part.kind == kind) result.push_back(part.name);
  }
  return result;
}

}  // namespace paribus::registry
