// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <termios.h>

#include <string>
#include <vector>

#include "driver/handle.h"

namespace paribus {

/// What came from the keyboard or the system.
enum class Key : int {
  none,     // the time was up
  resized,  // or the terminal was given back: all has to be drawn again
  end,      // Ctrl-C, SIGTERM, or the terminal is gone
  up,
  down,
  page_up,
  page_down,
  home,
  last,
  escape,
  character  // `Press::letter`
};

struct Press {
  Key key = Key::none;
  char letter = 0;
};

/// The whole screen of the terminal on stdin and stdout, for as long as the object lives: an
/// alternate screen, no cursor, keys one by one. SIGINT, SIGTERM, SIGHUP and SIGQUIT come as
/// `Key::end`, so the terminal is always given back as it was; Ctrl-Z gives it back until the shell
/// goes on. One at a time, in a process of one thread.
class Terminal {
 public:
  /// Throws Error if stdin and stdout aren't a terminal.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Waits for at most so long.
  Press wait(double seconds);
  /// Lines from the top; those that are as they were aren't written again.
  void draw(const std::vector<std::string>& lines);

  [[nodiscard]] int columns() const { return columns_; }
  [[nodiscard]] int rows() const { return rows_; }

 private:
  void enter();
  void leave();
  void measure();
  Press take_signal();
  Press take_key();

  termios before_{};
  driver::Handle signals_;
  int columns_ = 80, rows_ = 24;
  std::string pending_;  // keys that were typed
  std::vector<std::string> shown_;
};

/// Of the terminal on `fd`, or 0 where it doesn't tell.
int terminal_columns(int fd);

}  // namespace paribus
