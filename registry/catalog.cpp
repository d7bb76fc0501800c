// SPDX-License-Identifier: Apache-2.0
#include "registry/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <future>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "paribus/error.h"
#include "registry/elf.h"
#include "registry/index.h"
#include "registry/manifest.h"
#include "registry/own_program.h"
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
  const fs::path program = own_program();
  if (program.empty()) return std::nullopt;
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

std::size_t order(std::string_view kind) {
  return static_cast<std::size_t>(std::find(kinds().begin(), kinds().end(), kind) -
                                  kinds().begin());
}

std::pair<std::size_t, std::string_view> place(const PartSchema& part) {
  return {order(part.kind), part.name};
}

bool before(const PartSchema& a, const PartSchema& b) { return place(a) < place(b); }

/// A file or folder, and what came of it.
struct Found {
  fs::path path;
  std::string refused{};                   // why it offers nothing; "": it does
  std::string_view text{};                 // of its section, held by the index or
  std::optional<ManifestSection> fresh{};  // read just now
  std::vector<PartSchema> parts{};
};

void parse(Found& found) {
  if (!found.refused.empty()) return;
  try {
    found.parts = parse_manifests(found.text);
    for (PartSchema& part : found.parts) {
      verify(part, this_host());
      part.plugin = found.path;
    }
  } catch (const Error& problem) {
    found.refused = problem.what();
  }
}

/// Parsing is what a scan takes its time for: hundreds of files share it among the cores.
void parse_all(std::deque<Found>& all) {
  constexpr std::size_t kWorthAThread = 100, kAtOnce = 16;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t begin = 0; (begin = next.fetch_add(kAtOnce)) < all.size();)
      for (std::size_t i = begin; i < std::min(begin + kAtOnce, all.size()); ++i) parse(all[i]);
  };
  const std::size_t threads =
      std::min<std::size_t>(std::thread::hardware_concurrency(), all.size() / kWorthAThread);
  std::vector<std::future<void>> helpers;
  try {
    while (helpers.size() + 1 < threads) helpers.push_back(std::async(std::launch::async, work));
  } catch (const std::system_error&) {  // no thread to be had: it goes without
  }
  work();
  for (std::future<void>& helper : helpers) helper.get();
}

/// Goes through folders and keeps what it finds, in its order.
class Scan {
 public:
  explicit Scan(SectionIndex& index) : index_(index) {}

  void folder(const fs::path& folder) {
    if (const auto objection = trust_.objection_to_folder(folder)) {
      all_.push_back({folder, *objection});
      return;
    }
    try {
      for (const fs::path& path : libraries(folder)) file(path);
    } catch (const fs::filesystem_error& problem) {
      const std::string why = problem.code().message();
      all_.push_back(
          {folder, fmt::format("can't be listed: {}; check the path and its permissions", why)});
    }
  }

  void finish(std::vector<PartSchema>& parts, std::vector<Refusal>& refusals) {
    parse_all(all_);
    for (Found& found : all_) {
      if (found.fresh && !found.parts.empty()) index_.put(*found.fresh);
      if (!found.refused.empty()) {
        refusals.push_back({found.path, found.refused});
        continue;
      }
      std::move(found.parts.begin(), found.parts.end(), std::back_inserter(parts));
    }
  }

 private:
  void file(const fs::path& path) {
    Found found{path};
    try {
      const FileIdentity identity = identify(path);
      if (!seen_.emplace(identity.device, identity.inode).second)
        return;  // by another way to the same file
      if (const auto objection = trust_.objection_to_file(path)) throw Error(*objection);
      if (const std::string* known = index_.find(identity)) {
        found.text = *known;
      } else {
        found.fresh = read_section(path);
      }
    } catch (const Error& problem) {
      found.refused = problem.what();
    }
    Found& kept = all_.emplace_back(std::move(found));
    if (kept.fresh) kept.text = kept.fresh->text;
  }

  SectionIndex& index_;
  Trust trust_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
  std::deque<Found> all_;  // whose texts stay where they are
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
  std::vector<PartSchema> parts;
  std::vector<Refusal> refusals;
  scan.finish(parts, refusals);
  if (index_file) index.save(*index_file);

  Catalog catalog = of(std::move(parts));
  catalog.refusals_ = std::move(refusals);
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
  if (source_ && source_->serves(kind, name))
    return &source_->find(std::string(kind), std::string(name));
  const auto sought = std::pair(order(kind), name);
  const auto found =
      std::lower_bound(parts_.begin(), parts_.end(), sought,
                       [](const PartSchema& part, const auto& key) { return place(part) < key; });
  return found != parts_.end() && place(*found) == sought ? &*found : nullptr;
}

std::vector<const PartSchema*> Catalog::parts_of(const fs::path& plugin) const {
  std::vector<const PartSchema*> result;
  for (const PartSchema& part : parts_) {
    if (part.plugin == plugin) result.push_back(&part);
  }
  if (!source_) return result;
  for (const PartSchema* part : source_->found()) {
    if (part->plugin == plugin) result.push_back(part);
  }
  return result;
}

std::vector<std::string> Catalog::names(std::string_view kind) const {
  std::vector<std::string> result;
  for (const PartSchema& part : parts_) {
    if (part.kind == kind) result.push_back(part.name);
  }
  return result;
}

}  // namespace paribus::registry
