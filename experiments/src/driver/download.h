// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace paribus::driver {

/// Bytes so far, and in all (0: not known).
using DownloadProgress = std::function<void(std::int64_t got, std::int64_t total)>;

/// Fetches `url` (http or https, certificates checked, against $SSL_CERT_FILE if set) into
/// `target`, which exists only if all went well: temp file, `check` of it, fsync, rename. `bytes`
/// is how many there must be; 0: not known, at most 8 GiB are taken. Throws Error saying what went
/// wrong, Interrupted on Ctrl-C, and whatever `check` throws.
void download(const std::string& url, const std::filesystem::path& target, std::int64_t bytes,
              const std::function<void(const std::filesystem::path&)>& check,
              const DownloadProgress& progress = {});

/// What a download may do.
struct DownloadRules {
  std::int64_t exactly = 0;  // bytes; 0: not known
  std::int64_t at_most = std::int64_t{8} << 30;
  bool only_https = false;
  long redirects = 8;
};
void download(const std::string& url, const std::filesystem::path& target,
              const DownloadRules& rules,
              const std::function<void(const std::filesystem::path&)>& check,
              const DownloadProgress& progress = {});

/// The same of a file that is here already.
void copy_checked(const std::filesystem::path& from, const std::filesystem::path& target,
                  std::int64_t at_most,
                  const std::function<void(const std::filesystem::path&)>& check);

}  // namespace paribus::driver
