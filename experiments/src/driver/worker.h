// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "driver/handle.h"
#include "paribus/error.h"

namespace paribus::driver {

/// What the worker found wrong with a request, and at which address of the study ("" if at none).
struct Problem {
  std::string address;
  std::string message;
};

/// A request that the worker refused.
class Refused : public Error {
 public:
  explicit Refused(std::vector<Problem> problems);
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

/// The worker is no more, or speaks nonsense; the text holds its signal or exit status and its last
/// lines.
class WorkerLost : public Error {
 public:
  using Error::Error;
};

/// `paribus-worker` as the driver sees it: requests out, replies and events in (docs/internals.md).
/// All on one thread; nothing the worker does, or fails to do, can block the caller for longer than
/// it asked to wait.
class Worker {
 public:
  /// The program beside our own, or $PARIBUS_WORKER. Throws Error if there is none.
  static std::filesystem::path program();

  /// Starts it. `progress_fd` becomes its fd 4 (-1: an empty memfd); no other descriptor reaches
  /// it.
  explicit Worker(const std::filesystem::path& program, int progress_fd = -1);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  /// Closes the socket, on which the worker ends its children and itself; kills it if it takes too
  /// long.
  ~Worker();

  /// Sends a request and waits for its reply; events that come first are kept. Throws Refused,
  /// WorkerLost or Interrupted (on Ctrl-C). `op` and the arguments make the message; `ok` and `id`
  /// are taken off the reply.
  nlohmann::json call(const std::string& op, nlohmann::json arguments = nlohmann::json::object());

  /// The same for requests that must be made while an interrupt is being dealt with.
  nlohmann::json call_regardless(const std::string& op, nlohmann::json arguments);

  /// The next event, waiting for at most `milliseconds`; none after that, or when a signal came.
  std::optional<nlohmann::json> next_event(int milliseconds);

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// For the second Ctrl-C: it kills all below it and ends.
  void kill();
  /// The same, and waits until none of them is left to write anywhere.
  void end_now();

 private:
  nlohmann::json exchange(const std::string& op, nlohmann::json arguments, bool heed_interrupts);
  void send(const std::string& line, bool heed_interrupts);
  void wait_for_input(int milliseconds, bool also_writable);
  void read_socket();
  void read_errors();
  void accept(const std::string& line);
  [[noreturn]] void lost(const std::string& how);
  bool reap(int milliseconds, int& status);

  Handle socket_, errors_;
  pid_t pid_ = -1;
  std::int64_t last_id_ = 0;
  std::string partial_, last_words_;
  std::deque<nlohmann::json> events_;
  std::optional<nlohmann::json> reply_;
  bool closed_ = false;
};

/// "SIGSEGV (segmentation fault)".
std::string signal_name(int signal);

}  // namespace paribus::driver
