// SPDX-License-Identifier: Apache-2.0
#include "stack_reader.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "forked.h"

namespace paribus::worker {
namespace {

using nlohmann::json;

std::vector<std::uint64_t> own_view_of(const driver::Distress& distress) {
  std::vector<std::uint64_t> addresses;
  const std::uint32_t count = std::min<std::uint32_t>(distress.frames, driver::Distress::kFrames);
  for (std::uint32_t i = 0; i < count; ++i) addresses.push_back(distress.own_view[i]);
  return addresses;
}

std::string read_stacks(pid_t trial, const driver::Distress& distress, bool own_view) {
  ::unsetenv("DEBUGINFOD_URLS");  // no stack is worth a download
  const bool tells = distress.state != driver::Distress::none;
  const pid_t thread = tells ? static_cast<pid_t>(distress.thread) : trial;
  const Stacks stacks = own_view
                            ? stack_of(trial, thread, own_view_of(distress), StackReader::kSeconds)
                            : stacks_of(trial, thread, StackReader::kSeconds);
  const json object{{"text", stacks.text}, {"where", stacks.where}, {"problem", stacks.problem}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

StackReader::StackReader(pid_t trial, const driver::Distress& distress, bool own_view)
    : deadline_(std::chrono::steady_clock::now() +
                std::chrono::milliseconds(static_cast<int>(2000 * kSeconds))) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    problem_ = std::strerror(errno);
    return;
  }
  const pid_t parent = ::getpid();
  reader_ = ::fork();
  if (reader_ == 0) {
    die_with_parent(parent);
    ::prctl(PR_SET_NAME, "paribus-stacks");
    const std::string text = read_stacks(trial, distress, own_view);
    write_all(ends[1], text);
    ::_exit(0);
  }
  if (reader_ < 0) problem_ = std::strerror(errno);
  ::close(ends[1]);
  output_ = ends[0];
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
}

StackReader::~StackReader() {
  if (output_ >= 0) ::close(output_);
  if (reader_ <= 0 || ::waitpid(reader_, nullptr, WNOHANG) != 0) return;  // it has ended
  ::kill(reader_, SIGKILL);  // what it looked at goes on
  while (::waitpid(reader_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<Stacks> StackReader::result() {
  if (!problem_.empty()) return Stacks{"", "", problem_};
  std::array<char, 65536> buffer{};
  ssize_t count = 0;
  while ((count = ::read(output_, buffer.data(), buffer.size())) > 0)
    text_.append(buffer.data(), static_cast<std::size_t>(count));
  if (count == 0) {
    const json object = json::parse(text_, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return Stacks{"", "", "the process that read it ended early"};
    return Stacks{object.at("text"), object.at("where"), object.at("problem")};
  }
  if (std::chrono::steady_clock::now() < deadline_) return std::nullopt;
  return Stacks{"", "", "it took too long"};
}

}  // namespace paribus::worker
