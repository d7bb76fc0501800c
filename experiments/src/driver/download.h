// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace paribus::driver {

/// Bytes so far, and in all (0: not known).
using DownloadProgress = std::function<void(std::int64_t got, std::int64_t total)>;

/// Fetches `url` (http or https, certificates checked) into `target`, which exists only if all went
/// well: temp file, `check` of it, fsync, rename. `bytes` is how many there must be; 0: not known,
/// at most 8 GiB are taken. Throws Error saying what went wrong, Interrupted on Ctrl-C, and
/// whatever `check` throws.
void download(const std::string& url, const std::filesystem::path& target, std::int64_t bytes,
              const std::function<void(const std::filesystem::path&)>& check,
              const DownloadProgress& progress = {});

}  // namespace paribus::driver
