// SPDX-License-Identifier: Apache-2.0
#include "watch_terminal.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>

#include "live.h"
#include "paribus/error.h"

namespace paribus {
namespace {

constexpr int kEscapeWait = 30;  // ms within which the rest of a key's sequence comes

/// What Terminal takes over from the system.
sigset_t handled() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int one : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP})
    ::sigaddset(&set, one);
  return set;
}

/// False where nobody reads any more.
bool put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

struct Sequence {
  std::string_view bytes;
  Key key;
};

constexpr std::array<Sequence, 16> kSequences = {{{"\x1b[A", Key::up},
                                                  {"\x1bOA", Key::up},
                                                  {"\x1b[B", Key::down},
                                                  {"\x1bOB", Key::down},
                                                  {"\x1b[5~", Key::page_up},
                                                  {"\x1b[6~", Key::page_down},
                                                  {"\x1b[H", Key::home},
                                                  {"\x1bOH", Key::home},
                                                  {"\x1b[1~", Key::home},
                                                  {"\x1b[7~", Key::home},
                                                  {"\x1b[F", Key::last},
                                                  {"\x1bOF", Key::last},
                                                  {"\x1b[4~", Key::last},
                                                  {"\x1b[8~", Key::last},
                                                  {"\x03", Key::end},
                                                  {"\x04", Key::end}}};

/// How many bytes of an unknown sequence are one key: "\x1b[" ... a letter or ~.
std::size_t unknown_length(std::string_view typed) {
  if (typed.size() < 2 || (typed[1] != '[' && typed[1] != 'O')) return 1;
  std::size_t at = 2;
  while (at < typed.size() && (typed[at] < 0x40 || typed[at] > 0x7E)) ++at;
  return std::min(at + 1, typed.size());
}

}  // namespace

int terminal_columns(int fd) {
  winsize window{};
  return ::ioctl(fd, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
}

Terminal::Terminal() {
  if (::isatty(STDIN_FILENO) != 1 || !is_smart_terminal(STDOUT_FILENO) ||
      ::tcgetattr(STDIN_FILENO, &before_) != 0)
    throw Error("watch needs a terminal; --once prints one frame anywhere, --json for programs");
  const sigset_t set = handled();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = driver::Handle(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  enter();
}

Terminal::~Terminal() {
  leave();
  const sigset_t set = handled();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void Terminal::enter() {
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  put("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J");  // another screen, no cursor, no wrapping
  shown_.clear();
  measure();
}

void Terminal::leave() {
  put("\x1b[?7h\x1b[?25h\x1b[?1049l");
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

void Terminal::measure() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return;
  columns_ = window.ws_col;
  rows_ = std::max<int>(window.ws_row, 3);
}

Press Terminal::wait(double seconds) {
  if (!pending_.empty()) return take_key();
  std::array<pollfd, 2> watched = {{{signals_.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  const int ms = static_cast<int>(std::clamp(std::ceil(seconds * 1000), 0.0, 60'000.0));
  if (::poll(watched.data(), watched.size(), ms) <= 0) return {};
  if (watched[0].revents != 0) return take_signal();
  return take_key();
}

Press Terminal::take_signal() {
  signalfd_siginfo news{};
  if (::read(signals_.get(), &news, sizeof news) != sizeof news) return {};
  if (news.ssi_signo == SIGWINCH) {
    measure();
    put("\x1b[2J");
    shown_.clear();
    return {Key::resized};
  }
  if (news.ssi_signo != SIGTSTP) return {Key::end};
  leave();
  ::raise(SIGSTOP);
  enter();
  return {Key::resized};
}

Press Terminal::take_key() {
  if (pending_.empty() || pending_ == "\x1b") {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const bool waits = pending_.empty() || ::poll(&input, 1, kEscapeWait) > 0;
    std::array<char, 256> typed{};
    const ssize_t n = waits ? ::read(STDIN_FILENO, typed.data(), typed.size()) : 0;
    if (waits && n <= 0) return {errno == EINTR && n < 0 ? Key::none : Key::end};
    pending_.append(typed.data(), static_cast<std::size_t>(n));
  }
  for (const Sequence& one : kSequences) {
    if (!pending_.starts_with(one.bytes)) continue;
    pending_.erase(0, one.bytes.size());
    return {one.key};
  }
  const char first = pending_.front();
  if (first != '\x1b') {
    pending_.erase(0, 1);
    return {Key::character, first};
  }
  if (pending_.size() == 1) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, kEscapeWait) > 0) return take_key();  // it was cut in two
  }
  const std::size_t length = unknown_length(pending_);
  pending_.erase(0, length);
  return {length == 1 ? Key::escape : Key::none};
}

void Terminal::draw(const std::vector<std::string>& lines) {
  std::string text;
  const auto rows = static_cast<std::size_t>(rows_);
  for (std::size_t i = 0; i < std::max(lines.size(), shown_.size()) && i < rows; ++i) {
    const std::string line = i < lines.size() ? lines[i] : "";
    if (i < shown_.size() && shown_[i] == line) continue;
    text += fmt::format("\x1b[{};1H{}\x1b[K", i + 1, line);
  }
  shown_ = lines;
  put(text);
}

}  // namespace paribus
