// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "driver/handle.h"
#include "uplink/request.h"
#include "uplink/status.h"

namespace paribus::driver {

/// The process that brings trackers what the journals hold (tools/uplink). Nothing waits for it but
/// `finish`.
class UplinkProcess {
 public:
  /// Starts it; nothing at all where the study has no trackers. Throws Error if it can't be
  /// started.
  explicit UplinkProcess(uplink::Request request);
  UplinkProcess(const UplinkProcess&) = delete;
  UplinkProcess& operator=(const UplinkProcess&) = delete;
  /// Lets it end by itself, which takes it no longer than the study allows.
  ~UplinkProcess() = default;

  /// Has it deliver what is left, and waits for that for as long as the study allows, or until the
  /// person presses Ctrl-C again. Returns how far each tracker came.
  std::vector<uplink::Status> finish();

 private:
  void start();
  bool wait();

  uplink::Request request_;
  Handle input_;
  pid_t pid_ = -1;
  std::string ending_;  // how the process ended, unless in order
};

}  // namespace paribus::driver
