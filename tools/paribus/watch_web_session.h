// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "watch_web_gate.h"
#include "watch_web_study.h"

namespace paribus {

class WebSession;

/// What serves the sessions, in the thread in which they all run; it lives longer than they do.
class WebHost {
 public:
  virtual const WebPlace& place() const = 0;
  /// Whether one more may be served; it is then counted until it has ended.
  virtual bool admit(WebSession& session) = 0;
  /// Has `send_page` or `refuse` called as soon as the page is made.
  virtual void want_page(std::shared_ptr<WebSession> session) = 0;
  /// Has `refuse` or `say` called with what came of it.
  virtual void want_stop(std::shared_ptr<WebSession> session, const std::string& trial) = 0;
  /// Has `tell` called with every look from now on.
  virtual void want_looks(WebSession& session) = 0;
  virtual void ended(WebSession& session) = 0;

 protected:
  WebHost() = default;
  ~WebHost() = default;
  WebHost(const WebHost&) = delete;
  WebHost& operator=(const WebHost&) = delete;
};

/// One connection: one request, one answer. Whatever the other side does, each step has its time:
/// none waits for ever but a stream that has taken all it was sent.
class WebSession : public std::enable_shared_from_this<WebSession> {
 public:
  WebSession(boost::asio::ip::tcp::socket socket, WebHost& host);

  void start();
  void send_page(std::shared_ptr<const std::string> page);
  void refuse(unsigned status, const std::string& why);
  void say(const std::string& text);
  /// A stream is sent what it doesn't have yet, once it has taken what was sent before: a slow
  /// reader gets the newest state and nothing of those in between.
  void tell(std::shared_ptr<const WebLook> look);
  /// At once.
  void close();

 private:
  using Error = boost::system::error_code;
  using Seconds = std::chrono::duration<double>;
  using Buffers = std::vector<boost::asio::const_buffer>;

  void take_request(const Error& problem);
  void begin_stream(std::uint64_t since);
  void listen();
  void send_next();
  void send(const Buffers& buffers, std::function<void()> then);
  void send_some();
  void say_goodbye();
  void discard();
  void within(Seconds time);

  boost::asio::ip::tcp::socket socket_;
  WebHost& host_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  boost::beast::http::request_parser<boost::beast::http::empty_body> parser_;
  std::optional<boost::beast::buffers_suffix<Buffers>> unsent_;
  std::function<void()> then_;
  std::chrono::steady_clock::time_point whole_until_;
  std::string text_;  // what is being sent, or holds it
  std::shared_ptr<const std::string> page_;
  std::shared_ptr<const WebLook> sent_, next_;
  std::uint64_t has_ = 0;  // the version that the reader has
  std::size_t discarded_ = 0;
  bool is_sending_ = false, is_closed_ = false;
};

}  // namespace paribus
