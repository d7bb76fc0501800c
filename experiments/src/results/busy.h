// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

namespace paribus::results {

/// How long at least one trial ran, by the driver's log: what a machine that is paid by the hour
/// was needed for. Of a run that was killed, up to what the log last said of it.
class Busy {
 public:
  void take(const nlohmann::json& event);
  /// In seconds; none where no trial began.
  [[nodiscard]] std::optional<double> seconds() const { return seconds_; }

 private:
  std::set<std::string> running_;
  nlohmann::json driver_;             // the process that began the last of them
  std::optional<std::int64_t> last_;  // second of the last event, since 1970
  std::optional<double> seconds_;
};

}  // namespace paribus::results
