// SPDX-License-Identifier: Apache-2.0
#include "watch_web.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <cstdio>
#include <list>
#include <set>

#include "paribus/error.h"
#include "watch_web_session.h"

namespace paribus {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Code = boost::system::error_code;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kMostServed = 64;    // streams and pages
constexpr std::size_t kMostWaiting = 256;  // connections that have not asked yet, or were refused
constexpr Seconds kPause{1};               // between two looks: trials write once a second
constexpr double kShare = 10;              // a look takes one part of so many of the time
constexpr Seconds kToFindRoom{0.2};        // until the next try where the system has no more files
constexpr int kInterrupted = 130;

/// All but looks and the making of pages runs in one thread, those in another: no reader waits for
/// one that is slow, and none of them for a large study but the one that asks for its page.
class Server final : public WebHost {
 public:
  Server(const std::filesystem::path& dir, unsigned port, bool control)
      : study_(dir, is_ending_, control) {
    const tcp::endpoint where(asio::ip::address_v4::loopback(), static_cast<unsigned short>(port));
    Code problem;
    acceptor_.open(where.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(where, problem);
    if (!problem) acceptor_.listen(asio::socket_base::max_listen_connections, problem);
    if (problem)
      throw Error(
          fmt::format("watch: port {} of 127.0.0.1 can't be had: {}; without --port a free "
                      "one is taken",
                      port, problem.message()));
    place_ = {new_token(), acceptor_.local_endpoint().port(), control};
  }

  int run() {
    asio::signal_set signals(io_, SIGINT, SIGTERM, SIGHUP);
    signals.async_wait([this](const Code& problem, int) {
      if (!problem) io_.stop();
    });
    accept();
    fmt::print("{}\n", place_.url());
    std::fflush(stdout);
    io_.run();
    is_ending_ = true;
    worker_.join();
    return kInterrupted;
  }

 private:
  using Session = std::shared_ptr<WebSession>;

  const WebPlace& place() const override { return place_; }

  void accept() {
    acceptor_.async_accept([this](const Code& problem, tcp::socket socket) {
      if (problem) return accept_later();
      if (waiting_.size() >= kMostWaiting) {
        const Session oldest = waiting_.front();
        oldest->close();
      }
      waiting_.push_back(std::make_shared<WebSession>(std::move(socket), *this));
      waiting_.back()->start();
      accept();
    });
  }

  void accept_later() {
    later_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(kToFindRoom));
    later_.async_wait([this](const Code&) { accept(); });
  }

  bool admit(WebSession& session) override {
    if (served_.size() >= kMostServed) return false;
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const Session& one) { return one.get() == &session; });
    if (found == waiting_.end()) return false;
    served_.insert(*found);
    waiting_.erase(found);
    return true;
  }

  /// The page shows what is there now, unless that was looked at just now.
  void want_page(Session session) override {
    to_be_paged_.push_back(std::move(session));
    if (!is_busy_) work();
  }

  void want_stop(Session session, const std::string& trial) override {
    asio::post(worker_, [this, session = std::move(session), trial] {
      std::string problem;
      try {
        problem = study_.stop(trial);
      } catch (const std::exception& error) {
        problem = error.what();
      }
      asio::post(io_, [session, problem] {
        if (problem.empty())
          session->say("asked to stop; it ends the update that it is in");
        else
          session->refuse(409, "not stopped: " + problem);
      });
    });
  }

  void want_looks(WebSession& session) override {
    streams_.insert(&session);
    if (look_) session.tell(look_);
    if (!is_busy_) work();
  }

  void ended(WebSession& session) override {
    const auto is_it = [&](const Session& one) { return one.get() == &session; };
    streams_.erase(&session);
    std::erase_if(served_, is_it);
    std::erase_if(waiting_, is_it);
    std::erase_if(to_be_paged_, is_it);
  }

  /// A look where it is time for one, then the page where somebody waits for it; then the next time
  /// is set. Without a reader nothing is done.
  void work() {
    const bool is_due = std::chrono::steady_clock::now() >= due_;
    due_timer_.cancel();
    if (streams_.empty() && to_be_paged_.empty()) return;
    const bool wants_page = !to_be_paged_.empty();
    if (!is_due && !wants_page) return wait();
    is_busy_ = true;
    asio::post(worker_, [this, is_due, wants_page] {
      const std::shared_ptr<const WebLook> look = is_due ? study_.look() : nullptr;
      std::shared_ptr<const std::string> page;
      std::string problem;
      try {
        if (wants_page) page = std::make_shared<const std::string>(study_.page());
      } catch (const std::exception& error) {
        problem = error.what();
      }
      asio::post(io_, [this, look, page, problem, wants_page] {
        is_busy_ = false;
        if (look) take(look);
        if (wants_page) hand_out(page, problem);
        work();
      });
    });
  }

  void take(const std::shared_ptr<const WebLook>& look) {
    look_ = look;
    const Seconds pause =
        look->is_whole ? std::max(kPause, kShare * Seconds(look->seconds)) : Seconds(0);
    due_ = std::chrono::steady_clock::now() +
           std::chrono::duration_cast<asio::steady_timer::duration>(pause);
    const std::set<WebSession*> told = streams_;
    for (WebSession* one : told) {
      if (streams_.contains(one)) one->tell(look);
    }
  }

  void hand_out(const std::shared_ptr<const std::string>& page, const std::string& problem) {
    for (const Session& one : std::exchange(to_be_paged_, {})) {
      if (page)
        one->send_page(page);
      else
        one->refuse(503, problem);
    }
  }

  void wait() {
    due_timer_.expires_at(due_);
    due_timer_.async_wait([this](const Code& problem) {
      if (!problem && !is_busy_) work();
    });
  }

  std::atomic<bool> is_ending_ = false;
  WebStudy study_;  // the worker's
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer later_{io_}, due_timer_{io_};
  WebPlace place_;
  std::list<Session> waiting_;
  std::set<Session> served_;
  std::set<WebSession*> streams_;
  std::vector<Session> to_be_paged_;
  std::shared_ptr<const WebLook> look_;
  std::chrono::steady_clock::time_point due_{};
  bool is_busy_ = false;
  asio::thread_pool worker_{1};  // last: it ends before what it uses
};

}  // namespace

int watch_web(const std::filesystem::path& dir, unsigned port, bool control) {
  return Server(dir, port, control).run();
}

}  // namespace paribus
