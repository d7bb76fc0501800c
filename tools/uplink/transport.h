// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "paribus/tracker.h"

namespace paribus::uplink {

/// The one place where requests are made, as paribus/tracker.h says. For one thread; it keeps
/// connections open.
class Transport {
 public:
  /// `is_over`: a request under way is to be left, as if it had timed out.
  explicit Transport(std::function<bool()> is_over);
  ~Transport();
  HttpAnswer http(const HttpRequest& request);

 private:
  struct Curl;
  std::unique_ptr<Curl> curl_;
  std::function<bool()> is_over_;
};

/// Seconds that a Retry-After asks for, a number or a date; 0 if it says nothing of use.
double retry_after(const std::string& value, double now);

/// Seconds from one request to the next so that `remaining` of them last `reset` seconds; 0 where
/// the two say nothing of use.
double pace_of(const std::string& remaining, const std::string& reset);

/// Once per process, before any thread.
void start_transport();

}  // namespace paribus::uplink
