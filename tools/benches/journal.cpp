// SPDX-License-Identifier: Apache-2.0
// Scalars into a journal: ten series a step, as fast as it takes them, synced at the end; and what
// single calls cost. h5py_log.py writes the same numbers with h5py.
#include "journal/journal.h"

#include <algorithm>
#include <array>

#include "side.h"

namespace paribus::bench {
namespace {

constexpr std::int64_t kSeries = 10;

std::array<std::uint32_t, kSeries> defined(journal::Writer& log) {
  std::array<std::uint32_t, kSeries> series{};
  for (std::size_t i = 0; i < series.size(); ++i)
    series[i] = log.series("metric_" + std::to_string(i));
  return series;
}

double value_at(std::int64_t step, std::int64_t i) {
  return static_cast<double>(step * kSeries + i) * 0.1;
}

nlohmann::json throughput(std::int64_t steps) {
  const Folder folder;
  const auto file = folder.path() / "trial.log";
  double seconds = 0;
  {
    journal::Writer log(file);
    const auto series = defined(log);
    const Clock clock;
    for (std::int64_t step = 1; step <= steps; ++step) {
      for (std::int64_t i = 0; i < kSeries; ++i)
        log.point(series[static_cast<std::size_t>(i)], step, value_at(step, i));
    }
    log.sync();
    seconds = clock.seconds();
  }
  const auto record = journal::read(file);
  bool equal = record.points_written == static_cast<std::size_t>(steps * kSeries);
  for (std::int64_t i = 0; i < kSeries; ++i)
    equal = equal && record.series[static_cast<std::size_t>(i)].values.back() == value_at(steps, i);
  return {{"seconds", seconds / static_cast<double>(steps * kSeries)},
          {"equal", equal},
          {"bytes", std::filesystem::file_size(file)}};
}

/// The clock's own cost is in it: an upper bound.
nlohmann::json latency(std::int64_t points) {
  const Folder folder;
  journal::Writer log(folder.path() / "trial.log");
  const auto series = defined(log);
  std::vector<double> seconds;
  seconds.reserve(static_cast<std::size_t>(points));
  for (std::int64_t i = 0; i < points; ++i) {
    const Clock clock;
    log.point(series[static_cast<std::size_t>(i % kSeries)], i, value_at(i, 0));
    seconds.push_back(clock.seconds());
  }
  const auto place = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() * 99 / 100);
  std::nth_element(seconds.begin(), place, seconds.end());
  return {{"seconds", *place}};
}

}  // namespace
}  // namespace paribus::bench

int main() {
  return paribus::bench::serve(
      {{"throughput", paribus::bench::throughput}, {"p99", paribus::bench::latency}});
}
