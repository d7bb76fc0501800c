// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace paribus {

/// How another program ended.
struct Ended {
  int status = 0;      // its exit status, or -signal
  std::string output;  // stdout and stderr together, as they came
  double seconds = 0;
  [[nodiscard]] bool fine() const { return status == 0; }
};

/// Another program, found in PATH. It gets our environment with `changes` put over it (an empty
/// text takes a variable away) and no input. It dies with us.
class Child {
 public:
  using Environment = std::map<std::string, std::string>;

  /// Throws Error naming the program where it can't be started.
  explicit Child(const std::vector<std::string>& command, const Environment& changes = {});
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Kills it if it still runs.
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Whether it has ended, after at most so long. Reads what it says meanwhile.
  bool wait(int milliseconds);
  /// To its end.
  const Ended& finish();
  void kill(int signal) const;

 private:
  void read(int milliseconds);

  pid_t pid_ = -1;
  int out_ = -1;
  double begun_ = 0;
  bool over_ = false;
  Ended ended_;
};

Ended run_program(const std::vector<std::string>& command, const Child::Environment& changes = {});

}  // namespace paribus
