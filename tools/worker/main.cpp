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
#include <vector>

#include "crash.h"
#include "examine.h"
#include "forked.h"
#include "guard.h"
#include "strays.h"
#include "trial_process.h"
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

/// SIGCHLD as something that poll can wait for; trials undo the mask at their start.
int child_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

paribus::driver::ProgressSlot* map_slots() {
  void* slots =
      ::mmap(nullptr, sizeof(paribus::driver::ProgressSlot) * paribus::driver::kProgressSlots,
             PROT_READ | PROT_WRITE, MAP_SHARED, paribus::driver::kProgressFd, 0);
  return slots == MAP_FAILED ? nullptr : static_cast<paribus::driver::ProgressSlot*>(slots);
}

/// Until something happens to a trial, a request comes, or it is time to look after the trials.
/// Whether there is something to read from the driver.
bool wait(Zygote& zygote, int signals) {
  std::vector<pollfd> fds{{paribus::driver::kSocketFd, POLLIN, 0}, {signals, POLLIN, 0}};
  for (const int fd : zygote.watch().descriptors()) fds.push_back({fd, POLLIN, 0});
  ::poll(fds.data(), fds.size(), zygote.watch().pause());
  std::array<char, 4096> buffer{};
  while (::read(signals, buffer.data(), buffer.size()) > 0) {
  }
  return (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

/// Answers what comes until the driver is gone.
void serve(Zygote& zygote) {
  const int signals = child_signals();
  std::string input;
  std::array<char, 65536> buffer{};
  while (true) {
    const bool has_request = wait(zygote, signals);
    zygote.watch().look();
    for (json event = zygote.ended(); !event.is_null(); event = zygote.ended()) send(event);
    if (!has_request) continue;
    const ssize_t count = ::read(paribus::driver::kSocketFd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    input.append(buffer.data(), static_cast<std::size_t>(count));
    for (auto end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
      const std::string line = input.substr(0, end);
      input.erase(0, end + 1);
      handle(zygote, line);
    }
  }
}

}  // namespace

int main(int count, char** words) {
  ::signal(SIGPIPE, SIG_IGN);
  if (count == 4 && std::string(words[1]) == paribus::worker::kExamineFlag)
    return paribus::worker::examine(words[2], words[3]);
  at::set_num_threads(1);  // no pool of threads may exist when trials fork
  auto* slots = map_slots();
  if (slots == nullptr) {
    std::fprintf(stderr,
                 "paribus-worker: started by hand? it is part of `paribus run`, which passes it "
                 "fds 3 and 4\n");
    return 2;
  }
  paribus::worker::prepare_own_view();
  if (count > 1 && std::string(words[1]) == paribus::worker::kFreshFlag) {
    Zygote trial(slots);
    const int code = trial.run_fresh(paribus::worker::read_order());
    std::fflush(nullptr);
    ::_exit(code);
  }
  paribus::worker::leave_a_guard();
  paribus::worker::reap_strays();
  Zygote zygote(slots);
  serve(zygote);
  zygote.kill_all();
  ::kill(::getppid(), SIGCONT);  // a guard that was stopped has to end, too
  return 0;
}
