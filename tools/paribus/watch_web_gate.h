// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Who may read the live page: pure functions of what a request says.
namespace paribus {

/// Where a page is: http://127.0.0.1:PORT/TOKEN/
struct WebPlace {
  std::string token;
  unsigned port = 0;
  bool control = false;  // whether its readers may stop trials

  [[nodiscard]] std::string url() const;
};

/// 192 bits from the system, as hexadecimal digits. Throws Error where it has none.
std::string new_token();

/// A request's head.
struct WebAsked {
  std::string method, target;
  std::vector<std::pair<std::string, std::string>> fields;  // names in small letters
  bool has_body = false;
};

enum class WebPart { none, page, events, stop };

struct WebVerdict {
  unsigned status = 200;
  std::string why;  // where it is not 200
  WebPart part = WebPart::none;
  std::uint64_t since = 0;  // events: the version that the reader has
  std::string trial{};      // stop: its id
};

/// Only GET, and POST to stop a trial where the page is for that: then with the page's own Origin,
/// which no form of another site has; only from this machine's browser at this address (Host, which
/// a name that turns to 127.0.0.1 doesn't have; Origin and Sec-Fetch-Site, which tell another
/// site's page); only with the token, whose comparison takes the same time wherever it differs.
WebVerdict judge(const WebAsked& asked, const WebPlace& place);

/// The head of an answer that is the last of its connection; `length` kStream: until it is closed.
inline constexpr std::size_t kStream = SIZE_MAX;
std::string answer_head(unsigned status, const std::string& type, std::size_t length);

/// A whole answer that says why not.
std::string refusal(unsigned status, const std::string& why);

}  // namespace paribus
