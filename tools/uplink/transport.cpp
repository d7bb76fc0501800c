// SPDX-License-Identifier: Apache-2.0
#include "transport.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <ctime>

namespace paribus::uplink {

namespace {

constexpr std::size_t kLongestAnswer = std::size_t{4} << 20;
constexpr long kConnectSeconds = 15;
constexpr double kLongestWait = 3600;  // s that a peer may ask for

struct Transfer {
  HttpAnswer answer;
  std::string retry_after;
};

std::size_t take(char* data, std::size_t /*one*/, std::size_t size, void* context) {
  HttpAnswer& answer = static_cast<Transfer*>(context)->answer;
  const std::size_t room = kLongestAnswer - answer.body.size();
  answer.body.append(data, std::min(size, room));
  answer.cut = size > room;
  return answer.cut ? 0 : size;
}

std::size_t take_header(char* data, std::size_t /*one*/, std::size_t size, void* context) {
  static constexpr std::string_view kName = "retry-after:";
  std::string line(data, size);
  std::transform(line.begin(),
                 line.begin() + static_cast<std::ptrdiff_t>(std::min(size, kName.size())),
                 line.begin(), [](unsigned char c) { return std::tolower(c); });
  if (line.starts_with(kName)) {
    const std::size_t from = line.find_first_not_of(" \t", kName.size());
    const std::size_t to = line.find_last_not_of(" \t\r\n");
    if (from != std::string::npos && to >= from)
      static_cast<Transfer*>(context)->retry_after = line.substr(from, to - from + 1);
  }
  return size;
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

}  // namespace

struct Transport::Curl {
  CURL* handle = curl_easy_init();
  ~Curl() { curl_easy_cleanup(handle); }
};

Transport::Transport() : curl_(std::make_unique<Curl>()) {
  if (curl_->handle == nullptr) throw Error("libcurl can't be started");
}
Transport::~Transport() = default;

void start_transport() { curl_global_init(CURL_GLOBAL_DEFAULT); }

double retry_after(const std::string& value, double now) {
  double seconds = 0;
  const char* end = value.data() + value.size();
  const auto [rest, problem] = std::from_chars(value.data(), end, seconds);
  if (problem != std::errc() || rest != end) {
    const std::time_t date = curl_getdate(value.c_str(), nullptr);
    seconds = date == -1 ? 0 : static_cast<double>(date) - now;
  }
  return std::isfinite(seconds) ? std::clamp(seconds, 0.0, kLongestWait) : 0;
}

HttpAnswer Transport::http(const HttpRequest& request) {
  CURL* c = curl_->handle;
  curl_easy_reset(c);  // connections stay
  if (request.url.substr(0, request.url.find('?')).find('@') != std::string::npos)
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
  if (request.method != "GET") {
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  const CURLcode code = curl_easy_perform(c);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &transfer.answer.status);
  const long status = transfer.answer.status;
  if (code != CURLE_OK && !transfer.answer.cut) {
    const std::string text = fmt::format("{}: {}", shown(request.url),
                                         *reason != '\0' ? reason : curl_easy_strerror(code));
    if (is_final(code)) throw Error(text);
    throw TryLater(text);
  }
  if (may_pass(status))
    throw TryLater(fmt::format("{} answered {}", shown(request.url), status),
                   retry_after(transfer.retry_after, static_cast<double>(std::time(nullptr))));
  return std::move(transfer.answer);
}

}  // namespace paribus::uplink
