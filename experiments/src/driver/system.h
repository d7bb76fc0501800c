// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "driver/handle.h"

namespace paribus::driver {

/// The account of `[study] disk`, to which what the samples take is booked, too.
struct SystemAccount {
  std::int64_t limit = 0;  // bytes; 0: there is none
  int board = -1;          // file of the progress slots
  int claim = 0;           // slot
};

/// The process that samples what the machine and the trials use (tools/system). Nothing waits for
/// it but `finish`, for a bounded time, and nothing that is wrong with it is wrong with a study.
class SystemProcess {
 public:
  /// It will sample `every` so many seconds, from the first trial on; 0: not at all. A run that has
  /// nothing to do leaves no trace.
  SystemProcess(std::filesystem::path dir, std::int64_t every, const SystemAccount& account)
      : dir_(std::move(dir)), every_(every), account_(account) {}
  SystemProcess(const SystemProcess&) = delete;
  SystemProcess& operator=(const SystemProcess&) = delete;
  ~SystemProcess();

  /// A trial has a process now, or none any more (-1).
  void tell(const std::string& trial, pid_t pid);

  /// Has it take a last sample and end. Returns what went wrong, in one line; "" if nothing.
  std::string finish();

 private:
  void start();

  std::filesystem::path dir_;
  std::int64_t every_;
  SystemAccount account_;
  bool started_ = false;
  Handle input_, output_;
  pid_t pid_ = -1;
  std::string problem_;
};

}  // namespace paribus::driver
