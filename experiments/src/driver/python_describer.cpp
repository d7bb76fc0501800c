// SPDX-License-Identifier: Apache-2.0
#include "driver/python_describer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "driver/interrupt.h"
#include "driver/spawn.h"
#include "driver/worker.h"

namespace paribus::driver {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// For one answer: `import torch` from a slow disk is among them.
constexpr std::chrono::seconds kPatience{120};
constexpr const char* kDescribe =
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from paribus import describe; "
    "describe.main(sys.argv[1:])";
constexpr std::size_t kLongestReply = 1 << 20, kLongestWords = 4096;

/// Of this program's environment, what an interpreter and what it loads have a use for.
std::vector<std::string> environment() {
  std::vector<std::string> kept{"PYTHONDONTWRITEBYTECODE=1", "OPENBLAS_NUM_THREADS=1",
                                "PYTHONHASHSEED=0"};
  for (const char* name :
       {"PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV",
        "CONDA_PREFIX", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "XDG_CACHE_HOME"}) {
    if (const char* value = std::getenv(name)) kept.push_back(fmt::format("{}={}", name, value));
  }
  return kept;
}

struct Pipe {
  Handle read, write;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      throw Error(fmt::format("can't make a pipe for Python: {}", std::strerror(errno)));
    read = Handle(ends[0]), write = Handle(ends[1]);
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

bool is_program(const fs::path& file) { return ::access(file.c_str(), X_OK) == 0; }

std::string last_words(const std::string& said) {
  const std::size_t end = said.find_last_not_of("\n ");
  if (end == std::string::npos) return "";
  const std::size_t begin = said.rfind('\n', end);
  return ": " + said.substr(begin == std::string::npos ? 0 : begin + 1,
                            end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

}  // namespace

PythonDescriber::PythonDescriber(std::vector<fs::path> folders) : folders_(std::move(folders)) {}

PythonDescriber::~PythonDescriber() { end(); }

fs::path PythonDescriber::python() {
  if (const char* given = std::getenv("PARIBUS_PYTHON"); given != nullptr && *given != '\0') {
    if (is_program(given)) return given;
    throw Error(fmt::format("$PARIBUS_PYTHON names {}, which is no program", given));
  }
  std::vector<fs::path> places;
  if (const char* active = std::getenv("VIRTUAL_ENV"); active != nullptr && *active == '/')
    places.push_back(fs::path(active) / "bin" / "python3");
  places.push_back(own_folder() / "python3");
  places.emplace_back(PARIBUS_BUILD_PYTHON);
  for (const fs::path& place : places) {
    if (is_program(place)) return place;
  }
  throw Error(fmt::format("there is no Python at {}; name the interpreter in $PARIBUS_PYTHON",
                          places.back().string()));
}

fs::path PythonDescriber::package() {
  return own_folder().parent_path() / "lib" / "paribus" / "python";
}

void PythonDescriber::start() {
  const std::string program = python().string();
  // Our own package is found first; nothing is taken from the current folder.
  std::vector<std::string> words{program, "-P", "-c", kDescribe, package().string()};
  for (const fs::path& folder : folders_) words.push_back(folder.string());
  std::vector<std::string> kept = environment();
  Pipe requests, replies, errors;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, requests.read.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, replies.write.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, errors.write.get(), 2);
  const int failed = ::posix_spawn(&child_, program.c_str(), &actions, nullptr,
                                   pointers(words).data(), pointers(kept).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    child_ = -1;
    throw Error(fmt::format("{} can't be started: {}", program, std::strerror(failed)));
  }
  in_ = std::move(requests.write), out_ = std::move(replies.read);
  errors_ = std::move(errors.read);
  line_.clear(), said_.clear();
}

json PythonDescriber::ask(const json& request) {
  if (child_ < 0) start();
  said_.clear();  // of an earlier question
  const std::string line = request.dump() + '\n';
  std::string text;
  // A short line: it fits into the pipe. Whoever writes to a dead child gets SIGPIPE ignored.
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, &before);
  const bool sent =
      ::write(in_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size());
  ::sigaction(SIGPIPE, &before, nullptr);
  text = sent ? reply(kPatience) : "";
  const json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) throw Error(how_it_ended());
  if (answer.value("ok", false)) return answer;
  throw Error(answer.value("message", "Python says nothing of it"));
}

/// What it says aside; the last of it is kept for `how_it_ended`.
void PythonDescriber::listen() {
  std::array<char, 65536> buffer{};
  const ssize_t count = ::read(errors_.get(), buffer.data(), buffer.size());
  if (count <= 0) return errors_.reset();  // poll leaves out what is closed
  said_.append(buffer.data(), static_cast<std::size_t>(count));
  if (said_.size() > kLongestWords) said_.erase(0, said_.size() - kLongestWords);
}

/// A line, or nothing where it is late, too long or dead.
std::string PythonDescriber::reply(std::chrono::seconds patience) {
  constexpr int kLook = 200;  // ms
  std::array<char, 65536> buffer{};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    check_interrupts();
    std::array<pollfd, 2> wait{{{out_.get(), POLLIN, 0}, {errors_.get(), POLLIN, 0}}};
    if (::poll(wait.data(), wait.size(), kLook) <= 0) continue;
    if ((wait[1].revents & (POLLIN | POLLHUP)) != 0) listen();
    if ((wait[0].revents & (POLLIN | POLLHUP)) == 0) continue;
    const ssize_t count = ::read(out_.get(), buffer.data(), buffer.size());
    if (count <= 0 || line_.size() > kLongestReply) return "";
    line_.append(buffer.data(), static_cast<std::size_t>(count));
    const std::size_t at = line_.find('\n');
    if (at == std::string::npos) continue;
    std::string line = line_.substr(0, at);
    line_.erase(0, at + 1);
    return line;
  }
  return "late";
}

std::string PythonDescriber::how_it_ended() {
  int status = 0;
  for (int look = 0; look < 100; ++look) {
    if (::waitpid(child_, &status, WNOHANG) == child_) {
      child_ = -1;
      end();
      const std::string how = WIFSIGNALED(status)
                                  ? "crashed with " + signal_name(WTERMSIG(status))
                                  : fmt::format("ended with status {}", WEXITSTATUS(status));
      return fmt::format("Python {} when it was read{}", how, last_words(said_));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  end();
  return fmt::format(
      "Python gave no answer in {} s when it was read; mend what the module does "
      "when it is imported",
      kPatience.count());
}

void PythonDescriber::end() {
  in_.reset(), out_.reset(), errors_.reset();
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
  child_ = -1;
}

}  // namespace paribus::driver
