// SPDX-License-Identifier: Apache-2.0
#include "driver/uplink.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

#include "driver/interrupt.h"
#include "driver/spawn.h"
#include "journal/journal.h"
#include "paribus/error.h"

namespace paribus::driver {

namespace {

namespace fs = std::filesystem;

constexpr double kLongestWait = 1e9;  // s; more is no time that a clock has
constexpr double kGrace = 2;          // s beyond its own bound, before it is killed
constexpr int kNiceness = 10;         // training comes first
constexpr auto kLook = std::chrono::milliseconds(10);

fs::path program() {
  if (const char* given = std::getenv("PARIBUS_UPLINK"); given != nullptr && *given != '\0')
    return given;
  const fs::path beside = own_folder() / "paribus-uplink";
  if (fs::exists(beside)) return beside;
  throw Error(fmt::format(
      "no program for trackers at {}; install Paribus as a whole, or set PARIBUS_UPLINK to it",
      beside.string()));
}

/// Between fork and exec: system calls only.
[[noreturn]] void become_uplink(const char* path, int input, int output) {
  ::setsid();  // Ctrl-C is the driver's to deal with
  lower_priority(kNiceness);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
  input = ::fcntl(input, F_DUPFD, 10);  // it may be 0, 1 or 2 itself
  output = ::fcntl(output, F_DUPFD, 10);
  ::dup2(input, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::close_range(3, ~0U, 0);
  ::execl(path, "paribus-uplink", static_cast<char*>(nullptr));
  ::_exit(127);
}

/// All of it: it is shorter than what a pipe holds, or its reader lives.
void send(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) return;  // it died; `finish` tells
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

}  // namespace

UplinkProcess::UplinkProcess(uplink::Request request) : request_(std::move(request)) {
  request_.wait = std::min(request_.wait, kLongestWait);
  if (!request_.trackers.empty()) start();
}

void UplinkProcess::start() {
  const std::string path = program().string();
  const fs::path folder = uplink::state_folder(request_.dir);
  fs::create_directories(folder);
  bool is_fed = false;  // by another process, which has its own to say
  for (const uplink::TrackerRequest& tracker : request_.trackers) {
    const bool is_this = journal::has_writer(folder / (tracker.name() + ".log"));
    if (!is_this) fs::remove(folder / (tracker.name() + ".json"));  // it is of the past
    is_fed = is_fed || is_this;
  }
  const Handle output(::open((folder / "output.txt").c_str(),
                             O_WRONLY | O_CREAT | O_APPEND | (is_fed ? 0 : O_TRUNC) | O_CLOEXEC,
                             0644));
  int ends[2];
  if (!output || ::pipe2(ends, O_CLOEXEC) != 0)
    throw Error(fmt::format("can't start {}: {}", path, std::strerror(errno)));
  const Handle theirs(ends[0]);
  input_ = Handle(ends[1]);
  pid_ = ::fork();
  if (pid_ < 0) throw Error(fmt::format("can't start {}: {}", path, std::strerror(errno)));
  if (pid_ == 0) become_uplink(path.c_str(), theirs.get(), output.get());
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  send(input_.get(), to_json(request_).dump() + '\n');
  ::signal(SIGPIPE, before);
}

/// False where it is still there when the time is up.
bool UplinkProcess::wait() {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(request_.wait + kGrace));
  const int before = interrupts();
  int status = 0;
  for (pid_t done = 0; done == 0;) {
    done = ::waitpid(pid_, &status, WNOHANG);
    if (done == 0 && (Clock::now() > until || interrupts() > before)) return false;
    if (done == 0) std::this_thread::sleep_for(kLook);
  }
  if (WIFSIGNALED(status)) ending_ = fmt::format("was ended by signal {}", WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) > 1)
    ending_ = fmt::format("ended with status {}", WEXITSTATUS(status));
  return true;
}

std::vector<uplink::Status> UplinkProcess::finish() {
  if (pid_ < 0) return {};
  input_.reset();
  if (!wait()) end_process(pid_);
  pid_ = -1;
  std::vector<uplink::Status> mine;
  const std::vector<uplink::Status> known = uplink::statuses(request_.dir);
  for (const uplink::TrackerRequest& tracker : request_.trackers) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const uplink::Status& one) {
      return one.name == tracker.name();
    });
    uplink::Status status = found != known.end() ? *found : uplink::Status{};
    if (found == known.end()) {
      status.state = "waiting";
      status.problem = fmt::format("it left no word in {}; is there room on the disk?",
                                   uplink::state_folder(request_.dir).string());
    }
    status.name = tracker.name();
    status.part = tracker.part.kind + "/" + tracker.part.use;
    if (!ending_.empty()) {
      status.state = "gave up";
      status.problem = fmt::format("its process {}; what it said is in {}", ending_,
                                   (uplink::state_folder(request_.dir) / "output.txt").string());
    }
    mine.push_back(std::move(status));
  }
  return mine;
}

}  // namespace paribus::driver
