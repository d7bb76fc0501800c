// SPDX-License-Identifier: Apache-2.0
#include "results/busy.h"

#include <ctime>

namespace paribus::results {
namespace {

/// "2026-01-31T23:59:59Z" in seconds since 1970.
std::optional<std::int64_t> second_of(const nlohmann::json& event) {
  const auto time = event.find("time");
  if (time == event.end() || !time->is_string()) return std::nullopt;
  const auto text = time->get<std::string>();
  std::tm utc{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&utc);
}

}  // namespace

void Busy::take(const nlohmann::json& event) {
  const nlohmann::json& name = event.contains("event") ? event["event"] : nlohmann::json();
  const auto trial = event.find("trial");
  const auto now = second_of(event);
  if (!now || trial == event.end() || !trial->is_string()) return;
  if (name == "begin" && event.contains("driver") && event["driver"] != driver_) {
    driver_ = event["driver"];  // what ran under the one before has ended with it
    running_.clear();
  }
  // A clock that was set back takes nothing away.
  if (!running_.empty() && last_ && *now > *last_)
    seconds_ = *seconds_ + static_cast<double>(*now - *last_);
  last_ = now;
  if (name == "begin") {
    running_.insert(trial->get<std::string>());
    if (!seconds_) seconds_ = 0;
  }
  if (name == "exit") running_.erase(trial->get<std::string>());
}

}  // namespace paribus::results
