// SPDX-License-Identifier: Apache-2.0
// The worker: one request a line on fd 3, one reply a line, events in between. See
// docs/internals.md.
#include <ATen/Parallel.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

#include "forked.h"
#include "zygote.h"

namespace {

using nlohmann::json;
using paribus::worker::Zygote;

void send(const json& message) {
  const std::string line = message.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written =
        ::write(paribus::driver::kSocketFd, line.data() + done, line.size() - done);
    if (written < 0 && errno != EINTR) return;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
}

void handle(Zygote& zygote, const std::string& line) {
  const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object()) return;
  json reply;
  try {
    reply = zygote.answer(request);
  } catch (const std::exception& problem) {
    reply = paribus::worker::refusal(problem.what());
  }
  reply["id"] = request.value("id", 0);
  send(reply);
}

/// SIGCHLD as something that poll can wait for. The mask is undone in children by the trial's own
/// start.
int child_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

}  // namespace

int main() {
  ::signal(SIGPIPE, SIG_IGN);
  at::set_num_threads(1);  // no pool of threads may exist when trials fork
  void* slots =
      ::mmap(nullptr, sizeof(paribus::driver::ProgressSlot) * paribus::driver::kProgressSlots,
             PROT_READ | PROT_WRITE, MAP_SHARED, paribus::driver::kProgressFd, 0);
  if (slots == MAP_FAILED) {
    std::fprintf(stderr,
                 "paribus-worker: started by hand? it is part of `paribus run`, which passes it "
                 "fds 3 and 4\n");
    return 2;
  }
  Zygote zygote(static_cast<paribus::driver::ProgressSlot*>(slots));
  std::array<pollfd, 2> wait{
      {{paribus::driver::kSocketFd, POLLIN, 0}, {child_signals(), POLLIN, 0}}};
  std::string input;
  std::array<char, 65536> buffer{};
  while (true) {
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) break;
    while (::read(wait[1].fd, buffer.data(), buffer.size()) > 0) {
    }
    for (json event = zygote.ended(); !event.is_null(); event = zygote.ended()) send(event);
    if ((wait[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    const ssize_t count = ::read(paribus::driver::kSocketFd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;  // the driver is gone
    input.append(buffer.data(), static_cast<std::size_t>(count));
    for (auto end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
      const std::string line = input.substr(0, end);
      input.erase(0, end + 1);
      handle(zygote, line);
    }
  }
  zygote.kill_all();
  return 0;
}
