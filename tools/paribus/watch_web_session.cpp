// SPDX-License-Identifier: Apache-2.0
#include "watch_web_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <cctype>
#include <utility>

namespace paribus {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kLongestHead = 8192;             // bytes
constexpr std::size_t kMostDiscarded = 1 << 20;        // of what comes after the request
constexpr int kSendBuffer = 256 << 10;                 // bytes that the system holds for one reader
constexpr std::chrono::duration<double> kToAsk{10};    // for the whole head
constexpr std::chrono::duration<double> kToMove{30};   // without a byte taken
constexpr std::chrono::duration<double> kToTake{120};  // a page, or what a look found
constexpr std::chrono::duration<double> kToPart{2};    // after the last byte

WebAsked asked_of(const http::request<http::empty_body>& request, bool has_body) {
  WebAsked asked;
  asked.method = std::string(request.method_string());
  asked.target = std::string(request.target());
  asked.has_body = has_body;
  for (const auto& field : request) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    asked.fields.emplace_back(std::move(name), std::string(field.value()));
  }
  return asked;
}

}  // namespace

WebSession::WebSession(asio::ip::tcp::socket socket, WebHost& host)
    : socket_(std::move(socket)), host_(host), timer_(socket_.get_executor()) {
  parser_.header_limit(kLongestHead);
  Error none;  // what the system doesn't grant costs memory or time, no more
  socket_.set_option(asio::socket_base::send_buffer_size(kSendBuffer), none);
  socket_.set_option(asio::ip::tcp::no_delay(true), none);
}

void WebSession::start() {
  within(kToAsk);
  http::async_read_header(socket_, buffer_, parser_,
                          [self = shared_from_this()](const Error& problem, std::size_t) {
                            self->take_request(problem);
                          });
}

void WebSession::take_request(const Error& problem) {
  if (is_closed_) return;
  if (problem == http::error::header_limit)
    return refuse(431, fmt::format("a request's head has at most {} bytes", kLongestHead));
  if (problem == http::error::end_of_stream || problem == http::error::partial_message ||
      (problem && problem.category() == asio::error::get_system_category()))
    return close();
  if (problem) return refuse(400, "this is no request of HTTP/1.1");
  const bool has_body =
      parser_.chunked() || parser_.content_length().value_or(0) > 0 || parser_.upgrade();
  const WebVerdict verdict = judge(asked_of(parser_.get(), has_body), host_.place());
  if (verdict.status != 200) return refuse(verdict.status, verdict.why);
  if (!host_.admit(*this)) return refuse(503, "too many read this page at once");
  if (verdict.part == WebPart::events) return begin_stream(verdict.since);
  timer_.cancel();  // the page takes what the study takes
  if (verdict.part == WebPart::stop) return host_.want_stop(shared_from_this(), verdict.trial);
  host_.want_page(shared_from_this());
}

void WebSession::send_page(std::shared_ptr<const std::string> page) {
  if (is_closed_) return;
  page_ = std::move(page);
  text_ = answer_head(200, "text/html", page_->size());
  send({asio::buffer(text_), asio::buffer(*page_)}, [this] { say_goodbye(); });
}

void WebSession::refuse(unsigned status, const std::string& why) {
  if (is_closed_) return;
  text_ = refusal(status, why);
  send({asio::buffer(text_)}, [this] { say_goodbye(); });
}

void WebSession::say(const std::string& text) {
  if (is_closed_) return;
  text_ = answer_head(200, "text/plain", text.size() + 1) + text + "\n";
  send({asio::buffer(text_)}, [this] { say_goodbye(); });
}

void WebSession::begin_stream(std::uint64_t since) {
  has_ = since;
  listen();
  text_ = answer_head(200, "text/event-stream", kStream) + "retry: 2000\n\n";
  send({asio::buffer(text_)}, [this] { send_next(); });
  host_.want_looks(*this);
}

/// A reader of a stream has nothing to say any more: whatever comes is its end.
void WebSession::listen() {
  socket_.async_wait(asio::socket_base::wait_read,
                     [self = shared_from_this()](const Error&) { self->close(); });
}

void WebSession::tell(std::shared_ptr<const WebLook> look) {
  next_ = std::move(look);
  if (!is_sending_ && !is_closed_) send_next();
}

void WebSession::send_next() {
  if (!next_) return;
  sent_ = std::exchange(next_, nullptr);
  text_ = fmt::format("id: {}\ndata: {{\"version\":{},\"state\":{},\"pieces\":[", sent_->version,
                      sent_->version, sent_->state);
  Buffers buffers = {asio::buffer(text_)};
  for (const WebPiece& piece : sent_->pieces) {
    if (piece.version <= has_) continue;
    if (buffers.size() > 1) buffers.push_back(asio::buffer(",", 1));
    buffers.push_back(asio::buffer(*piece.text));
  }
  buffers.push_back(asio::buffer("]}\n\n", 4));
  has_ = sent_->version;
  send(buffers, [this] {
    sent_.reset();
    send_next();
  });
}

void WebSession::send(const Buffers& buffers, std::function<void()> then) {
  is_sending_ = true;
  unsent_.emplace(buffers);
  then_ = std::move(then);
  whole_until_ = std::chrono::steady_clock::now() +
                 std::chrono::duration_cast<std::chrono::steady_clock::duration>(kToTake);
  send_some();
}

void WebSession::send_some() {
  within(std::min<Seconds>(kToMove, whole_until_ - std::chrono::steady_clock::now()));
  socket_.async_write_some(*unsent_,
                           [self = shared_from_this()](const Error& problem, std::size_t size) {
                             if (self->is_closed_) return;
                             if (problem) return self->close();
                             self->unsent_->consume(size);
                             if (boost::beast::buffer_bytes(*self->unsent_) > 0)
                               return self->send_some();
                             self->is_sending_ = false;
                             self->timer_.cancel();
                             std::exchange(self->then_, nullptr)();
                           });
}

/// Closed with bytes unread, a connection may lose the answer that is on its way.
void WebSession::say_goodbye() {
  page_.reset();
  Error none;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, none);
  within(kToPart);
  buffer_.clear();
  discard();
}

void WebSession::discard() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(kLongestHead),
                          [self = shared_from_this()](const Error& problem, std::size_t size) {
                            self->discarded_ += size;
                            if (problem || self->discarded_ > kMostDiscarded) return self->close();
                            self->discard();
                          });
}

void WebSession::within(Seconds time) {
  timer_.expires_after(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::max(time, Seconds(0))));
  timer_.async_wait([self = weak_from_this()](const Error& problem) {
    const auto session = self.lock();
    if (!problem && session && session->timer_.expiry() <= std::chrono::steady_clock::now())
      session->close();
  });
}

void WebSession::close() {
  if (std::exchange(is_closed_, true)) return;
  Error none;
  timer_.cancel();
  socket_.close(none);
  host_.ended(*this);
}

}  // namespace paribus
