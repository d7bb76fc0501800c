// SPDX-License-Identifier: Apache-2.0
#include "driver/worker.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "driver/interrupt.h"
#include "driver/spawn.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

constexpr std::size_t kLongestMessage = 64u << 20;
constexpr std::size_t kLastWords = 4096;  // bytes of the worker's stderr that an error repeats
constexpr int kForGuard = 3000;           // ms; it waits a second for all below it
constexpr int kPatience = 100;            // ms between looks at the interrupt count

std::string joined(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += problem.address.empty() ? problem.message : problem.address + ": " + problem.message;
  }
  return text;
}

std::vector<Problem> problems_in(const json& reply) {
  std::vector<Problem> problems;
  const auto list = reply.find("problems");
  if (list != reply.end() && list->is_array()) {
    for (const json& entry : *list) {
      if (entry.is_object())
        problems.push_back({entry.value("address", ""), entry.value("message", "")});
    }
  }
  if (problems.empty()) problems.push_back({"", "the worker refused without saying why"});
  return problems;
}

}  // namespace

std::string signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  const char* words = sigdescr_np(signal);
  if (name == nullptr || words == nullptr) return fmt::format("signal {}", signal);
  std::string lower = words;
  lower[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(lower[0])));
  return fmt::format("SIG{} ({})", name, lower);
}

Refused::Refused(std::vector<Problem> problems)
    : Error(joined(problems)), problems_(std::move(problems)) {}

Worker::Worker(const std::filesystem::path& program, int progress_fd) {
  Spawned child = spawn_worker(program, progress_fd);
  socket_ = std::move(child.socket);
  errors_ = std::move(child.errors);
  pid_ = child.pid;
}

Worker::~Worker() {
  if (pid_ < 0) return;
  socket_.reset();
  int status = 0;
  if (!reap(2000, status)) end_now();
}

void Worker::kill() {
  if (pid_ > 0) ::kill(pid_, SIGTERM);
}

void Worker::end_now() {
  int status = 0;
  kill();
  if (pid_ < 0 || reap(kForGuard, status)) return;
  ::kill(pid_, SIGKILL);  // it is stopped, or was busy with what it must not be
  reap(1000, status);
}

bool Worker::reap(int milliseconds, int& status) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  do {
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == pid_ || (ended < 0 && errno == ECHILD)) {
      pid_ = -1;
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

json Worker::call(const std::string& op, json arguments) {
  return exchange(op, std::move(arguments), true);
}

json Worker::call_regardless(const std::string& op, json arguments) {
  return exchange(op, std::move(arguments), false);
}

json Worker::exchange(const std::string& op, json arguments, bool heed_interrupts) {
  const std::int64_t id = ++last_id_;
  arguments["id"] = id;
  arguments["op"] = op;
  reply_.reset();
  // A path or a text from outside may hold bytes that are not UTF-8; they must not throw here.
  send(arguments.dump(-1, ' ', false, json::error_handler_t::replace) + '\n', heed_interrupts);
  while (!reply_) {
    if (closed_) lost(fmt::format("it closed the connection during '{}'", op));
    if (heed_interrupts)
      check_interrupts();
    else if (interrupts() > 1)  // who asks twice does not wait for one that hangs
      lost(fmt::format("it did not answer '{}'", op));
    wait_for_input(kPatience, false);
  }
  json reply = std::move(*reply_);
  reply_.reset();
  if (const auto ok = reply.find("ok"); ok == reply.end() || *ok != json(true))
    throw Refused(problems_in(reply));
  reply.erase("ok");
  reply.erase("id");
  return reply;
}

std::optional<json> Worker::next_event(int milliseconds) {
  if (events_.empty() && !closed_) wait_for_input(milliseconds, false);
  if (events_.empty()) {
    if (closed_) lost("it closed the connection");
    return std::nullopt;
  }
  json event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void Worker::send(const std::string& line, bool heed_interrupts) {
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n =
        ::send(socket_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      if (heed_interrupts) check_interrupts();
      wait_for_input(kPatience, true);  // it may be waiting for us to read
      if (closed_) lost("it closed the connection");
    } else if (errno != EINTR) {
      const char* reason = std::strerror(errno);
      closed_ = true;
      lost(fmt::format("it can't be reached ({})", reason));
    }
  }
}

void Worker::wait_for_input(int milliseconds, bool also_writable) {
  const auto wanted = static_cast<short>(also_writable ? POLLIN | POLLOUT : POLLIN);
  pollfd fds[] = {{socket_.get(), wanted, 0}, {errors_.get(), POLLIN, 0}};
  if (::poll(fds, 2, milliseconds) <= 0) return;  // time is over, or a signal came
  if (fds[1].revents != 0) read_errors();
  if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_socket();
}

void Worker::read_socket() {
  char buffer[65536];
  const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    closed_ = true;
    return;
  }
  const std::size_t searched = partial_.size();
  partial_.append(buffer, static_cast<std::size_t>(n));
  std::size_t start = 0;
  for (std::size_t end = partial_.find('\n', searched); end != std::string::npos;
       end = partial_.find('\n', start)) {
    accept(partial_.substr(start, end - start));
    start = end + 1;
  }
  partial_.erase(0, start);
  if (partial_.size() > kLongestMessage)
    lost(fmt::format("it sent a message longer than {} MiB", kLongestMessage >> 20));
}

void Worker::accept(const std::string& line) {
  json message = json::parse(line, nullptr, false);
  if (!message.is_object()) lost("it sent what is no JSON object: " + line.substr(0, 80));
  if (message.contains("event")) {
    events_.push_back(std::move(message));
  } else if (message.value("id", json()) == json(last_id_)) {
    reply_ = std::move(message);
  }  // else the late reply to a request that an interrupt cut short
}

void Worker::read_errors() {
  char buffer[16384];
  const ssize_t n = ::read(errors_.get(), buffer, sizeof buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    errors_.reset();
    return;
  }
  last_words_.append(buffer, static_cast<std::size_t>(n));
  if (last_words_.size() > 2 * kLastWords) last_words_.erase(0, last_words_.size() - kLastWords);
}

void Worker::lost(const std::string& how) {
  const bool ended_first = closed_;  // else it lives, and is not to be talked to any more
  closed_ = true;
  socket_.reset();
  int status = 0;
  const bool ended = ended_first && pid_ > 0 && reap(1000, status);
  if (!ended) end_now();
  while (errors_) {
    const std::size_t before = last_words_.size();
    read_errors();
    if (last_words_.size() == before) break;
  }
  std::string text = "paribus-worker: " + how;
  if (ended && WIFSIGNALED(status))
    text = "paribus-worker was ended by " + signal_name(WTERMSIG(status)) + "; " + how;
  if (ended && WIFEXITED(status)) {
    text = fmt::format("paribus-worker ended with exit status {}; {}", WEXITSTATUS(status), how);
  }
  while (!last_words_.empty() && last_words_.back() == '\n') last_words_.pop_back();
  if (last_words_.size() > kLastWords) last_words_.erase(0, last_words_.size() - kLastWords);
  if (!last_words_.empty()) text += "; its last lines:\n" + last_words_;
  throw WorkerLost(text);
}

}  // namespace paribus::driver
