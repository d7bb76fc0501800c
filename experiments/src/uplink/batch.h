// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "paribus/record.h"

namespace paribus::uplink {

/// A series of a trial, and how far it has been read.
struct Series {
  std::string name, unit;
  std::int64_t mark = kNone;   // the greatest step so far
  std::int64_t floor = kNone;  // `mark` at the last start or resume: up to here all was read before
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
};

/// How far the journal of a trial has been delivered. What a resumed trial makes again has the
/// same bits (law 2), so a point counts once, by series and step.
struct Position {
  std::uint64_t at = 0;   // bytes of the journal
  std::string last;       // the bytes before `at`, by which a journal made anew is told
  std::int64_t sent = 0;  // points
  double started = 0;     // when the trial was, seconds since 1970
  double time = 0;        // of the last point
  std::vector<Series> series;
  std::vector<Series> shown;       // likewise; the unit says: histogram, picture
  std::vector<std::size_t> order;  // of each series of the journal so far: where it is in `series`
  std::string memo;                // of the tracker
  bool ended = false;              // its end has been delivered, and nothing stands after it
  std::int64_t system = 0;   // time of the last sample of journal/system.log, seconds since 1970
  std::uint64_t output = 0;  // bytes of what it printed
  std::int64_t lines = 0;    // likewise
};

/// Points of a journal, in its order.
struct BatchPoint {
  std::size_t series = 0;
  std::int64_t step = 0;
  double value = 0;
};

/// A histogram or a picture.
struct BatchShown {
  std::string name;
  std::int64_t step = 0;
  Histogram values;  // of a histogram
  std::string png;   // of a picture
};

/// A stretch of a journal: points, or histograms, or pictures, or one `end`, or nothing that a
/// tracker needs to know.
struct Batch {
  Position next;  // after it; memo, sent and time are the caller's to set
  std::vector<BatchPoint> points;
  std::vector<BatchShown> histograms{}, pictures{};
  std::optional<nlohmann::json> end;
  std::uint64_t size = 0;  // of the journal now
  double changed = 0;      // when it was last written, seconds since 1970
  [[nodiscard]] bool has_something() const {
    return !points.empty() || !histograms.empty() || !pictures.empty() || end.has_value();
  }
};

/// Reads from a position on: about as many points as `most`, or some MB of what is shown, or up to
/// `until` where that is not 0. Memory is bounded by that. A journal that is shorter than the
/// position, or another one, is read from its beginning; points that were delivered are passed
/// over. A record that is cut short ends it. Throws Error if the journal can't be read, isn't one,
/// or goes on with what is damaged.
Batch read_batch(const std::filesystem::path& journal, const Position& from, std::size_t most,
                 std::uint64_t until = 0);

}  // namespace paribus::uplink
