// SPDX-License-Identifier: Apache-2.0
// Who may read the live page; test_web.py asks the same of a server.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "watch_web_gate.h"

namespace paribus {
namespace {

WebAsked asked(std::string target) {
  return {"GET", std::move(target), {{"host", "127.0.0.1:4000"}}, false};
}

TEST(Gate, TokensAreLongAndNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string token = new_token();
    EXPECT_EQ(token.size(), 48u);
    EXPECT_EQ(token.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(token).second);
  }
}

TEST(Gate, ServesThePageAndItsEvents) {
  const WebPlace place{new_token(), 4000};
  EXPECT_EQ(place.url(), "http://127.0.0.1:4000/" + place.token + "/");
  const WebVerdict page = judge(asked("/" + place.token + "/"), place);
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(page.part, WebPart::page);
  WebAsked events = asked("/" + place.token + "/events?since=17");
  EXPECT_EQ(judge(events, place).part, WebPart::events);
  EXPECT_EQ(judge(events, place).since, 17u);
  events.fields.emplace_back("last-event-id", "18446744073709551615");
  EXPECT_EQ(judge(events, place).since, UINT64_MAX) << "who was connected before knows better";
  events.fields.back().second = "18446744073709551616";
  EXPECT_EQ(judge(events, place).status, 400u);
}

TEST(Gate, OrdersWantControlAndThePagesOwnOrigin) {
  WebPlace place{new_token(), 4000};
  WebAsked order = asked("/" + place.token + "/stop?trial=0a1b");
  order.method = "POST";
  order.fields.emplace_back("origin", "http://127.0.0.1:4000");
  EXPECT_EQ(judge(order, place).status, 405u);
  place.control = true;
  EXPECT_EQ(judge(order, place).part, WebPart::stop);
  EXPECT_EQ(judge(order, place).trial, "0a1b");
  for (const char* origin : {"http://localhost:4000", "null", "", "https://127.0.0.1:4000"}) {
    order.fields.back().second = origin;
    EXPECT_EQ(judge(order, place).status, 403u) << origin;
  }
  order.fields.pop_back();
  EXPECT_EQ(judge(order, place).status, 403u);
  order.method = "GET";
  EXPECT_EQ(judge(order, place).status, 404u);
}

TEST(Gate, PortEightyNeedsNoNumber) {
  const WebPlace place{new_token(), 80};
  WebAsked page = asked("/" + place.token + "/");
  page.fields.front().second = "localhost";
  EXPECT_EQ(judge(page, place).status, 200u);
  EXPECT_EQ(judge(page, {place.token, 4000}).status, 403u);
}

TEST(Gate, NoTokenIsNoToken) {
  EXPECT_EQ(judge(asked("//"), {"", 4000}).status, 404u);
  EXPECT_EQ(judge(asked("//events"), {"", 4000}).status, 404u);
  EXPECT_EQ(judge(asked(""), {"", 4000}).status, 400u);
}

TEST(Gate, OnlyTheExactTokenOpensWhateverElseIsThere) {
  const WebPlace place{new_token(), 4000};
  std::mt19937 draw(3);
  const std::string right = "/" + place.token + "/";
  for (int i = 0; i < 20'000; ++i) {
    std::string path = right;
    for (unsigned changes = 1 + draw() % 3; changes > 0; --changes)
      path[draw() % path.size()] = static_cast<char>(draw() % 256);
    path.resize(draw() % 2 ? path.size() : draw() % path.size());
    if (path == right) continue;
    EXPECT_NE(judge(asked(path), place).status, 200u) << path;
  }
}

TEST(Gate, ARefusalIsAWholeAnswerWithoutTheToken) {
  const std::string answer = refusal(405, "no");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Content-Security-Policy: default-src 'none'"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nno\n"));
}

}  // namespace
}  // namespace paribus
