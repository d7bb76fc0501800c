// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "paribus/spec.h"
#include "registry/schema.h"

namespace paribus::driver {

/// Where data files are looked for, in this order; the cache is also where they are fetched to.
struct FilePlaces {
  std::vector<std::filesystem::path> roots;  // $PARIBUS_DATA
  std::filesystem::path cache;               // $XDG_CACHE_HOME/paribus/data

  static FilePlaces from_environment();
};

/// The user's cache folder: $XDG_CACHE_HOME/paribus or ~/.cache/paribus.
std::filesystem::path cache_folder();

/// Path of each file by its name, as a data set's `open` wants them.
using FilePaths = std::map<std::string, std::string>;

/// A file is being fetched: its name, bytes so far, bytes in all (0: not known); once more with
/// `got == total` at the end.
using FetchProgress =
    std::function<void(const std::string& name, std::int64_t got, std::int64_t total)>;

/// Finds each file that `dataset` needs, given the parameters it has in a trial: in a root
/// (`root/folder/name`, then `root/name`), in the cache, else from its url. Every file is checked
/// against the manifest. Throws Error naming the part, the file, what is wrong with it and where to
/// put a good one; all files that are missing in one text.
FilePaths resolve_files(const registry::PartSchema& dataset, const PartSpec& spec,
                        const FilePlaces& places, const FetchProgress& progress = {});

}  // namespace paribus::driver
