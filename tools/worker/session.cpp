// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "driver/progress.h"
#include "forked.h"
#include "paribus/error.h"
#include "search_json.h"
#include "study/spec_json.h"

namespace paribus::worker {
namespace {

using nlohmann::json;

constexpr int kPatience = 600'000;  // ms for one proposal: a Gaussian process may take its time

/// In the child: the part, and all that it has been told.
class Answerer {
 public:
  Answerer(const json& request, const PartFactory& factory)
      : instance_(part_spec_from_json(request.at("part")), factory),
        axes_(axes_from(request.at("axes"))),
        stream_(request.at("seed").get<std::uint64_t>(), "search") {
    history_.epochs = request.at("epochs");
    for (const json& job : request.at("jobs")) history_.jobs.push_back(job_from(job));
    const json& goals = request.at("goals");
    std::vector<std::string> objectives = search().objectives();
    objectives.insert(objectives.begin(), request.at("metric"));
    for (const std::string& objective : objectives) {
      const auto goal = goals.find(objective);
      if (goal == goals.end()) refuse(objective, goals);
      history_.maximize.push_back(*goal);
    }
    search().check(axes_, history_.epochs);
  }

  json opened() const {
    return {{"ok", true}, {"at_once", search().at_once()}, {"objectives", search().objectives()}};
  }

  json next(const json& request) {
    for (const json& object : request.at("happenings"))
      history_.happenings.push_back(happening_from(object));
    const std::optional<Job> job = search().next(axes_, stream_, history_);
    if (!job) return {{"ok", true}, {"job", nullptr}};
    history_.jobs.push_back(*job);
    return {{"ok", true}, {"job", to_json(*job)}};
  }

 private:
  [[noreturn]] static void refuse(const std::string& objective, const json& goals) {
    std::string known;
    for (const auto& [name, maximize] : goals.items()) known += (known.empty() ? "" : ", ") + name;
    throw Error("the objective '" + objective + "' isn't recorded; recorded are " + known);
  }
  [[nodiscard]] AdaptiveSearch& search() const { return instance_.as<AdaptiveSearch>(); }

  Instance instance_;
  std::vector<Axis> axes_;
  Stream stream_;
  History history_;
};

void send(int socket, const json& message) {
  const std::string line = message.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t n = ::send(socket, line.data() + done, line.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) return;  // the other end is gone: its reader finds out
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

/// Up to and without the next line end; empty when the other end is gone or takes too long.
std::string receive_line(int socket, std::string& input, int milliseconds) {
  std::array<char, 65536> buffer{};
  while (true) {
    if (const auto end = input.find('\n'); end != std::string::npos) {
      std::string line = input.substr(0, end);
      input.erase(0, end + 1);
      return line;
    }
    pollfd wait{socket, POLLIN, 0};
    const int ready = ::poll(&wait, 1, milliseconds);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return "";
    const ssize_t n = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return "";
    input.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

json attempt(const std::function<json()>& work) {
  try {
    return work();
  } catch (const std::exception& problem) {
    return refusal(problem.what());
  }
}

[[noreturn]] void serve(int socket, const json& request, const PartFactory& factory) {
  std::unique_ptr<Answerer> answerer;
  json reply = attempt([&] {
    answerer = std::make_unique<Answerer>(request, factory);
    return answerer->opened();
  });
  std::string input;
  while (true) {
    send(socket, reply);
    const std::string line = receive_line(socket, input, -1);
    if (line.empty() || !answerer) break;
    reply = attempt([&] { return answerer->next(json::parse(line)); });
  }
  answerer.reset();  // a search may have a process of its own to end
  ::_exit(0);
}

}  // namespace

SearchSession::SearchSession(const json& request, const PartFactory& factory, json& opened) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw Error(std::string("can't make a socket for the search: ") + ::strerror(errno));
  const int parent = ::getpid();
  child_ = ::fork();
  if (child_ < 0) throw Error(std::string("can't fork for the search: ") + ::strerror(errno));
  if (child_ == 0) {
    die_with_parent(parent);
    ::close(driver::kSocketFd);
    ::close(ends[0]);
    ::signal(SIGINT, SIG_IGN);
    serve(ends[1], request, factory);
  }
  ::close(ends[1]);
  socket_ = ends[0];
  opened = receive();
}

SearchSession::~SearchSession() {
  if (socket_ >= 0) ::close(socket_);
  if (child_ <= 0) return;
  int status = 0;
  if (wait(2000, status)) return;  // it saw the end of its input
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

bool SearchSession::wait(int milliseconds, int& status) {
  for (int waited = 0; child_ > 0; waited += 5) {
    const pid_t ended = ::waitpid(child_, &status, WNOHANG);
    if (ended != 0) child_ = -1;
    if (ended != 0 || waited >= milliseconds) break;
    ::usleep(5000);
  }
  return child_ < 0;
}

json SearchSession::next(const json& request) {
  if (socket_ < 0) return refusal("the search has ended");
  send(socket_, request);
  return receive();
}

json SearchSession::receive() {
  const std::string line = receive_line(socket_, input_, kPatience);
  json reply = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (reply.is_object()) return reply;
  ::close(socket_);
  socket_ = -1;
  int status = 0;
  if (!wait(line.empty() ? 1000 : 0, status))
    return refusal("the search gave no answer in " + std::to_string(kPatience / 1000) + " s");
  if (WIFSIGNALED(status))
    return refusal(std::string("the search crashed: ") + ::strsignal(WTERMSIG(status)));
  return refusal("the search ended its process");
}

}  // namespace paribus::worker
