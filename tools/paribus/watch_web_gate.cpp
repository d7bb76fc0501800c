// SPDX-License-Identifier: Apache-2.0
#include "watch_web_gate.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "paribus/error.h"

namespace paribus {
namespace {

constexpr std::size_t kTokenBytes = 24;
constexpr std::string_view kSince = "?since=";
constexpr std::string_view kStop = "stop?trial=";
constexpr std::size_t kLongestId = 64;

/// The same as the page's own, and that no other page may hold it in a frame.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'";

std::string_view phrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

std::vector<std::string_view> values_of(const WebAsked& asked, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& [one, value] : asked.fields) {
    if (one == name) values.emplace_back(value);
  }
  return values;
}

/// The two names of this place.
bool is_here(std::string_view host, unsigned port) {
  const auto is = [&](std::string_view name) {
    return host == fmt::format("{}:{}", name, port) || (port == 80 && host == name);
  };
  return is("127.0.0.1") || is("localhost");
}

bool is_token(std::string_view word, const std::string& token) {
  return word.size() == token.size() && !token.empty() &&
         ::sodium_memcmp(word.data(), token.data(), token.size()) == 0;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || stopped != end) return std::nullopt;
  return value;
}

WebVerdict no(unsigned status, std::string why) { return {status, std::move(why)}; }

/// `rest`: "events", perhaps with the version that the page was made with; one that was connected
/// before says by itself what it has.
WebVerdict events_of(std::string_view rest, const WebAsked& asked) {
  WebVerdict verdict{200, "", WebPart::events, 0};
  rest.remove_prefix(std::string_view("events").size());
  auto last = values_of(asked, "last-event-id");
  if (rest.starts_with(kSince) && last.empty()) last.push_back(rest.substr(kSince.size()));
  if (!rest.empty() && !rest.starts_with(kSince)) return no(404, "there is nothing here");
  if (last.empty()) return verdict;
  const auto since = number_of(last.front());
  if (!since) return no(400, "since: expected a version");
  verdict.since = *since;
  return verdict;
}

WebVerdict order_of(std::string_view rest) {
  if (!rest.starts_with(kStop)) return no(404, "there is nothing here");
  rest.remove_prefix(kStop.size());
  const bool is_id = !rest.empty() && rest.size() <= kLongestId &&
                     rest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!is_id) return no(400, "trial: expected an id");
  return {200, "", WebPart::stop, 0, std::string(rest)};
}

}  // namespace

std::string WebPlace::url() const { return fmt::format("http://127.0.0.1:{}/{}/", port, token); }

std::string new_token() {
  if (::sodium_init() < 0) throw Error("libsodium can't be started, so there is no secret address");
  std::array<unsigned char, kTokenBytes> bytes{};
  ::randombytes_buf(bytes.data(), bytes.size());
  std::string text(2 * bytes.size() + 1, '\0');
  ::sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

WebVerdict judge(const WebAsked& asked, const WebPlace& place) {
  const bool is_order = place.control && asked.method == "POST";
  if (asked.method != "GET" && !is_order) return no(405, "this page is only read: GET");
  if (asked.has_body) return no(400, "a request to read has no body");
  const auto hosts = values_of(asked, "host");
  if (hosts.size() != 1) return no(400, "expected one Host");
  if (!is_here(hosts.front(), place.port)) return no(403, "this is not the host that was asked");
  for (const std::string_view origin : values_of(asked, "origin")) {
    if (!origin.starts_with("http://") || origin.substr(7) != hosts.front())
      return no(403, "no other site reads this page");
  }
  if (is_order && values_of(asked, "origin").size() != 1)
    return no(403, "only this page's own script gives orders");
  for (const std::string_view site : values_of(asked, "sec-fetch-site")) {
    if (site != "same-origin" && site != "none") return no(403, "no other site reads this page");
  }
  std::string_view path = asked.target;
  if (!path.starts_with('/')) return no(400, "expected a path");
  path.remove_prefix(1);
  const std::size_t slash = std::min(path.find('/'), path.size());
  if (!is_token(path.substr(0, slash), place.token) || slash == path.size())
    return no(404, "there is nothing here");
  const std::string_view rest = path.substr(slash + 1);
  if (is_order) return order_of(rest);
  if (rest.empty()) return {200, "", WebPart::page, 0};
  if (rest.starts_with("events")) return events_of(rest, asked);
  return no(404, "there is nothing here");
}

std::string answer_head(unsigned status, const std::string& type, std::size_t length) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, phrase(status));
  head += fmt::format("Content-Type: {}; charset=utf-8\r\n", type);
  if (length != kStream) head += fmt::format("Content-Length: {}\r\n", length);
  if (status == 405) head += "Allow: GET\r\n";
  if (status == 503) head += "Retry-After: 5\r\n";
  head += fmt::format(
      "Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
      "Referrer-Policy: no-referrer\r\nX-Frame-Options: DENY\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\n"
      "Content-Security-Policy: {}\r\n\r\n",
      status == 200 ? kPolicy : "default-src 'none'; frame-ancestors 'none'");
  return head;
}

std::string refusal(unsigned status, const std::string& why) {
  const std::string text = why + "\n";
  return answer_head(status, "text/plain", text.size()) + text;
}

}  // namespace paribus
