// SPDX-License-Identifier: Apache-2.0
#include "driver/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "driver/handle.h"
#include "driver/interrupt.h"
#include "paribus/error.h"

namespace paribus::driver {

namespace {

struct Transfer {
  int file = -1;
  std::int64_t got = 0, expected = 0, most = 0;
  int write_error = 0;
  bool too_long = false;
  const DownloadProgress* progress = nullptr;
};

std::size_t take(char* data, std::size_t /*one*/, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.got + static_cast<std::int64_t>(size) > transfer.most) {
    transfer.too_long = true;
    return 0;
  }
  for (std::size_t done = 0; done < size;) {
    const ssize_t n = ::write(transfer.file, data + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      transfer.write_error = errno;
      return 0;
    }
    done += static_cast<std::size_t>(n);
  }
  transfer.got += static_cast<std::int64_t>(size);
  return size;
}

int look(void* context, curl_off_t total, curl_off_t /*got*/, curl_off_t /*up_total*/,
         curl_off_t /*up*/) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (interrupts() > 0) return 1;
  if (*transfer.progress)
    (*transfer.progress)(transfer.got, transfer.expected > 0 ? transfer.expected : total);
  return 0;
}

/// A file that is gone again unless it is kept.
class Temporary {
 public:
  explicit Temporary(const std::filesystem::path& target) : path_(target) {
    path_ += fmt::format(".part-{}", ::getpid());
    file_ = Handle(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file_)
      throw Error(fmt::format("can't write {}: {}", path_.string(), std::strerror(errno)));
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!kept_) ::unlink(path_.c_str());
  }
  void keep_as(const std::filesystem::path& target) {
    if (::fsync(file_.get()) != 0 || ::rename(path_.c_str(), target.c_str()) != 0) {
      throw Error(fmt::format("can't keep {}: {}", target.string(), std::strerror(errno)));
    }
    kept_ = true;
    const Handle folder(::open(target.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder) ::fsync(folder.get());
  }
  [[nodiscard]] int file() const { return file_.get(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  Handle file_;
  bool kept_ = false;
};

struct CurlCleanup {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CurlCleanup>;

Curl prepare(const std::string& url, const DownloadRules& rules, Transfer& transfer, char* reason) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  Curl curl(started == CURLE_OK ? curl_easy_init() : nullptr);
  if (!curl) throw Error("libcurl can't be started");
  CURL* c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  const bool only_https = rules.only_https || url.starts_with("https:");
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, rules.only_https ? "https" : "http,https");
  curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, only_https ? "https" : "http,https");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c, CURLOPT_MAXREDIRS, rules.redirects);
  if (const char* certificates = std::getenv("SSL_CERT_FILE"); certificates != nullptr)
    curl_easy_setopt(c, CURLOPT_CAINFO, certificates);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 20L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 100L);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(c, CURLOPT_USERAGENT, "paribus");
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look);
  curl_easy_setopt(c, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
  return curl;
}

std::string why(const Transfer& transfer, CURLcode code, const char* reason) {
  if (transfer.too_long)
    return fmt::format("the answer is longer than the {} bytes expected", transfer.most);
  if (transfer.write_error != 0)
    return fmt::format("can't write: {}", std::strerror(transfer.write_error));
  if (code == CURLE_PARTIAL_FILE)
    return fmt::format("the answer ended after {} bytes", transfer.got);
  return *reason != '\0' ? reason : curl_easy_strerror(code);
}

}  // namespace

void download(const std::string& url, const std::filesystem::path& target, std::int64_t bytes,
              const std::function<void(const std::filesystem::path&)>& check,
              const DownloadProgress& progress) {
  download(url, target, {.exactly = bytes}, check, progress);
}

void download(const std::string& url, const std::filesystem::path& target,
              const DownloadRules& rules,
              const std::function<void(const std::filesystem::path&)>& check,
              const DownloadProgress& progress) {
  const std::int64_t bytes = rules.exactly;
  std::filesystem::create_directories(target.parent_path());
  Temporary temporary(target);
  Transfer transfer{.file = temporary.file(), .expected = bytes, .progress = &progress};
  transfer.most = bytes > 0 ? bytes : rules.at_most;
  char reason[CURL_ERROR_SIZE] = "";
  const Curl curl = prepare(url, rules, transfer, reason);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_ABORTED_BY_CALLBACK) throw Interrupted();
  if (code != CURLE_OK)
    throw Error(fmt::format("can't fetch {}: {}", url, why(transfer, code, reason)));
  if (bytes > 0 && transfer.got != bytes) {
    throw Error(fmt::format("can't fetch {}: the answer ended after {} of {} bytes", url,
                            transfer.got, bytes));
  }
  check(temporary.path());
  temporary.keep_as(target);
}

void copy_checked(const std::filesystem::path& from, const std::filesystem::path& target,
                  std::int64_t at_most,
                  const std::function<void(const std::filesystem::path&)>& check) {
  const Handle source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!source) throw Error(fmt::format("can't open {}: {}", from.string(), std::strerror(errno)));
  std::filesystem::create_directories(target.parent_path());
  Temporary temporary(target);
  Transfer transfer{.file = temporary.file(), .most = at_most};
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(source.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(fmt::format("can't read {}: {}", from.string(), std::strerror(errno)));
    if (n == 0) break;
    const auto size = static_cast<std::size_t>(n);
    if (take(buffer, 1, size, &transfer) == size) continue;
    throw Error(transfer.too_long
                    ? fmt::format("{} is longer than the {} bytes expected", from.string(), at_most)
                    : fmt::format("can't write {}: {}", target.string(),
                                  std::strerror(transfer.write_error)));
  }
  check(temporary.path());
  temporary.keep_as(target);
}

}  // namespace paribus::driver
