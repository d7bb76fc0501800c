// SPDX-License-Identifier: Apache-2.0
#include "transport.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>
#include <set>

#include "study/trackers.h"

namespace paribus::uplink {

namespace {

constexpr std::size_t kLongestAnswer = std::size_t{4} << 20;
constexpr long kConnectSeconds = 15;
constexpr int kLookMilliseconds = 100;  // between looks at whether time is up
constexpr double kLongestWait = 3600;   // s that a peer may ask for

struct Transfer {
  HttpAnswer answer;
  std::map<std::string, std::string> headers;  // of those we know, by their names in small letters
};

std::size_t take(char* data, std::size_t /*one*/, std::size_t size, void* context) {
  HttpAnswer& answer = static_cast<Transfer*>(context)->answer;
  const std::size_t room = kLongestAnswer - answer.body.size();
  answer.body.append(data, std::min(size, room));
  answer.cut = size > room;
  return answer.cut ? 0 : size;
}

std::size_t take_header(char* data, std::size_t /*one*/, std::size_t size, void* context) {
  static const std::set<std::string> kKnown{"retry-after", "ratelimit-remaining",
                                            "ratelimit-reset"};
  const std::string line(data, size);
  std::string name = line.substr(0, line.find(':'));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (name.size() == line.size() || !kKnown.contains(name)) return size;
  const std::size_t from = line.find_first_not_of(" \t", name.size() + 1);
  const std::size_t to = line.find_last_not_of(" \t\r\n");
  if (from != std::string::npos && to >= from)
    static_cast<Transfer*>(context)->headers[name] = line.substr(from, to - from + 1);
  return size;
}

std::size_t give(char* into, std::size_t one, std::size_t count, void* file) {
  return std::fread(into, one, count, static_cast<std::FILE*>(file));
}

bool may_pass(long status) {
  return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501);
}

/// What no waiting mends.
bool is_final(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return true;
    default:
      return false;
  }
}

/// An address without what could be a secret in it.
std::string shown(const std::string& url) { return url.substr(0, url.find('?')); }

struct ListCleanup {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct FileCleanup {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCleanup>;

/// The number that is all of a text.
std::optional<double> number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || rest != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

/// One request at a time, by the multi interface: it can be left when time is up. Connections
/// belong to `multi`, and stay.
struct Transport::Curl {
  CURLM* multi = curl_multi_init();
  CURL* handle = curl_easy_init();

  Curl() = default;
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
  ~Curl() {
    curl_easy_cleanup(handle);
    curl_multi_cleanup(multi);
  }

  CURLcode perform(const std::function<bool()>& is_over) const {
    curl_multi_add_handle(multi, handle);
    int running = 1;
    CURLMcode problem = CURLM_OK;
    while (problem == CURLM_OK && running > 0 && !is_over()) {
      problem = curl_multi_perform(multi, &running);
      if (problem == CURLM_OK && running > 0)
        problem = curl_multi_poll(multi, nullptr, 0, kLookMilliseconds, nullptr);
    }
    CURLcode result = problem == CURLM_OK ? CURLE_ABORTED_BY_CALLBACK : CURLE_OUT_OF_MEMORY;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left))
      if (message->msg == CURLMSG_DONE) result = message->data.result;
    curl_multi_remove_handle(multi, handle);
    return result;
  }
};

Transport::Transport(std::function<bool()> is_over)
    : curl_(std::make_unique<Curl>()), is_over_(std::move(is_over)) {
  if (curl_->handle == nullptr || curl_->multi == nullptr) throw Error("libcurl can't be started");
}
Transport::~Transport() = default;

void start_transport() { curl_global_init(CURL_GLOBAL_DEFAULT); }

double retry_after(const std::string& value, double now) {
  double seconds = 0;
  if (const auto given = number(value)) {
    seconds = *given;
  } else if (const std::time_t date = curl_getdate(value.c_str(), nullptr); date != -1) {
    seconds = static_cast<double>(date) - now;
  }
  return std::clamp(seconds, 0.0, kLongestWait);
}

double pace_of(const std::string& remaining, const std::string& reset) {
  const auto left = number(remaining), seconds = number(reset);
  if (!left || !seconds || *left < 0 || *seconds <= 0) return 0;
  return std::min(*seconds / std::max(1.0, *left), kLongestWait);
}

HttpAnswer Transport::http(const HttpRequest& request) {
  CURL* c = curl_->handle;
  curl_easy_reset(c);  // connections stay
  if (holds_password(request.url))
    throw Error("an address holds a name or password before '@'; give them by the environment");
  Transfer transfer;
  char reason[CURL_ERROR_SIZE] = "";
  std::unique_ptr<curl_slist, ListCleanup> headers;
  const auto add = [&](const std::string& line) {
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  };
  add("Expect:");  // bodies go at once
  for (const auto& [name, value] : request.headers) add(name + ": " + value);
  curl_easy_setopt(c, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  if (const char* certificates = std::getenv("SSL_CERT_FILE"); certificates != nullptr)
    curl_easy_setopt(c, CURLOPT_CAINFO, certificates);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(request.seconds * 1000));
  curl_easy_setopt(c, CURLOPT_USERAGENT, "paribus");
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &transfer);
  if (!request.user.empty() || !request.password.empty()) {
    curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(c, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(c, CURLOPT_PASSWORD, request.password.c_str());
  }
  File file;
  if (!request.file.empty()) {
    file.reset(std::fopen(request.file.c_str(), "rbe"));
    std::error_code none;
    const std::uintmax_t size = std::filesystem::file_size(request.file, none);
    if (!file || none) throw TryLater("can't read " + request.file.string());
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(c, CURLOPT_READDATA, file.get());
  } else if (request.method != "GET") {
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  const CURLcode code = curl_->perform(is_over_);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &transfer.answer.status);
  const long status = transfer.answer.status;
  if (code != CURLE_OK && !transfer.answer.cut) {
    const char* why = code == CURLE_ABORTED_BY_CALLBACK ? "no answer before time was up"
                      : *reason != '\0'                 ? reason
                                                        : curl_easy_strerror(code);
    const std::string text = fmt::format("{}: {}", shown(request.url), why);
    if (is_final(code)) throw Error(text);
    throw TryLater(text);
  }
  if (may_pass(status))
    throw TryLater(
        fmt::format("{} answered {}", shown(request.url), status),
        retry_after(transfer.headers["retry-after"], static_cast<double>(std::time(nullptr))));
  transfer.answer.pace =
      pace_of(transfer.headers["ratelimit-remaining"], transfer.headers["ratelimit-reset"]);
  return std::move(transfer.answer);
}

}  // namespace paribus::uplink
