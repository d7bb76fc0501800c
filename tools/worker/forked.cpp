// SPDX-License-Identifier: Apache-2.0
#include "forked.h"

#include <c10/util/Exception.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <regex>

#include "paribus/error.h"

namespace paribus::worker {
namespace {

using nlohmann::json;

json attempt(const std::function<json()>& work) {
  try {
    return work();
  } catch (const c10::Error& problem) {
    return refusal(std::string("model: ") + problem.what_without_backtrace());
  } catch (const std::exception& problem) {
    return refusal(problem.what());
  } catch (...) {
    return refusal("a plugin threw something that is no error");
  }
}

}  // namespace

void write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return;
    if (written > 0) done += static_cast<std::size_t>(written);
  }
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

json refusal(const std::string& text) {
  static const std::regex kAddress(
      R"(^((?:study|data|model|loss|metric|optimizer|schedule|callback|train|sweep)[a-z0-9_.]*): )");
  std::smatch match;
  json problem{{"address", ""}, {"message", text}};
  if (std::regex_search(text, match, kAddress)) {
    problem = {{"address", match[1].str()}, {"message", match.suffix().str()}};
  }
  return {{"ok", false}, {"problems", json::array({problem})}};
}

void die_with_parent(int parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
}

json run_forked(const std::function<json()>& work) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0)
    return refusal(std::string("can't make a pipe: ") + std::strerror(errno));
  const int parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return refusal(std::string("can't fork: ") + std::strerror(errno));
  if (child == 0) {
    die_with_parent(parent);
    ::close(ends[0]);
    write_all(ends[1], attempt(work).dump(-1, ' ', false, json::error_handler_t::replace));
    ::_exit(0);
  }
  ::close(ends[1]);
  const std::string text = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    return refusal(std::string("a plugin crashed while it was tried: ") +
                   ::strsignal(WTERMSIG(status)));
  }
  json reply = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!reply.is_object()) return refusal("a plugin ended the process that tried it");
  return reply;
}

}  // namespace paribus::worker
