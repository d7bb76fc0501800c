// SPDX-License-Identifier: Apache-2.0
#include "driver/standing.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "journal/journal.h"

namespace paribus::driver {

Standing standing_of(const StudyDirectory& directory, const std::string& trial) {
  Standing standing;
  if (!std::filesystem::exists(directory.journal(trial))) return standing;
  const journal::Record record = journal::read(directory.journal(trial));
  if (record.events.empty()) return standing;
  const nlohmann::json& last = record.events.back();
  standing.status =
      last.value("event", "") == "end" ? last.value("status", "begun") : std::string("begun");
  for (const journal::Series& series : record.series) {
    if (!series.steps.empty()) standing.steps = std::max(standing.steps, series.steps.back());
  }
  return standing;
}

double value_of(const StudyDirectory& directory, const std::string& trial,
                const std::string& metric, std::int64_t until, Which which) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const journal::Record record = journal::read(directory.journal(trial));
  const journal::Series* series = record.find(metric);
  double value = kNaN;
  for (std::size_t i = 0; series != nullptr && i < series->steps.size(); ++i) {
    const double now = series->values[i];
    if (series->steps[i] > until) break;
    const bool counts = which == Which::last || std::isnan(value) ||
                        (which == Which::least ? now < value : now > value);
    if (counts) value = now;
  }
  return std::isfinite(value) ? value : kNaN;
}

}  // namespace paribus::driver
