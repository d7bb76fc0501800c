// SPDX-License-Identifier: Apache-2.0
#include "driver/files.h"

#include <fmt/core.h>

#include <cstdlib>
#include <sstream>

#include "driver/download.h"
#include "driver/interrupt.h"
#include "driver/verified.h"
#include "paribus/error.h"

namespace paribus::driver {

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// Names come from a manifest: they must not lead out of the folders that we look in.
void check_name(const registry::FileSchema& file) {
  const fs::path name(file.name), folder(file.folder);
  const bool plain = !file.name.empty() && name.filename() == name && name != "." && name != "..";
  bool below = !folder.is_absolute();
  for (const fs::path& step : folder) below = below && step != "..";
  if (plain && below) return;
  throw Error(fmt::format(
      "its manifest names the file '{}' in the folder '{}', expected a plain name below a folder",
      file.name, file.folder));
}

bool is_needed(const registry::FileSchema& file, const PartSpec& spec) {
  if (file.unless.empty()) return true;
  const auto given = spec.params.find(file.unless);
  if (given == spec.params.end() || std::holds_alternative<std::monostate>(given->second))
    return true;
  const auto* text = std::get_if<std::string>(&given->second);
  return text != nullptr && text->empty();
}

fs::path found_in_roots(const registry::FileSchema& file, const FilePlaces& places) {
  std::error_code ignored;
  for (const fs::path& root : places.roots) {
    for (const fs::path& place : {root / file.folder / file.name, root / file.name}) {
      if (fs::is_regular_file(place, ignored)) return place;
    }
  }
  return {};
}

bool good(const fs::path& place, const registry::FileSchema& file, VerifiedFiles& verified) {
  std::error_code ignored;
  if (!fs::is_regular_file(place, ignored)) return false;
  try {
    verified.verify(place, file);
    return true;
  } catch (const Error&) {
    return false;  // the cache is ours: what went bad there is fetched again
  }
}

fs::path resolve(const registry::FileSchema& file, const FilePlaces& places,
                 const FetchProgress& progress) {
  check_name(file);
  VerifiedFiles verified(places.cache.parent_path() / "verified.txt");
  if (const fs::path found = found_in_roots(file, places); !found.empty()) {
    verified.verify(found, file);
    return found;
  }
  const fs::path cached = places.cache / file.folder / file.name;
  if (good(cached, file, verified)) return cached;
  if (file.url.empty())
    throw Error(
        fmt::format("there is no file {} and its manifest has no address for it", file.name));
  const auto check = [&](const fs::path& fetched) {
    try {
      driver::verify(fetched, file);
    } catch (const Error& wrong) {
      throw Error(fmt::format("fetched {}, but {}", file.url, wrong.what()));
    }
  };
  const auto report = [&](std::int64_t got, std::int64_t total) {
    if (progress) progress(file.name, got, total);
  };
  download(file.url, cached, file.bytes, check, report);
  if (progress) progress(file.name, file.bytes, file.bytes);
  return cached;
}

}  // namespace

fs::path cache_folder() {
  const std::string base = environment("XDG_CACHE_HOME");
  if (!base.empty()) return fs::path(base) / "paribus";
  const std::string home = environment("HOME");
  return (home.empty() ? fs::temp_directory_path() : fs::path(home) / ".cache") / "paribus";
}

FilePlaces FilePlaces::from_environment() {
  FilePlaces places;
  std::istringstream roots(environment("PARIBUS_DATA"));
  for (std::string root; std::getline(roots, root, ':');) {
    if (!root.empty()) places.roots.emplace_back(fs::absolute(root));
  }
  places.cache = cache_folder() / "data";
  return places;
}

FilePaths resolve_files(const registry::PartSchema& dataset, const PartSpec& spec,
                        const FilePlaces& places, const FetchProgress& progress) {
  FilePaths paths;
  std::string problems;
  for (const registry::FileSchema& file : dataset.files) {
    if (!is_needed(file, spec)) continue;
    try {
      paths[file.name] = resolve(file, places, progress).string();
    } catch (const Interrupted&) {
      throw;
    } catch (const std::exception& problem) {
      problems += fmt::format(
          "{}dataset/{}: {}; put a good one at {} or, as {}, in a folder of $PARIBUS_DATA",
          problems.empty() ? "" : "\n", dataset.name, problem.what(),
          (places.cache / file.folder / file.name).string(),
          (fs::path(file.folder) / file.name).string());
    }
  }
  if (!problems.empty()) throw Error(problems);
  return paths;
}

}  // namespace paribus::driver
