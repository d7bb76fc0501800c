// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "paribus/plugin.h"
#include "paribus/random.h"

namespace paribus {

/// One axis of a sweep: either a list of values (several addresses at once when they are zipped,
/// one index for all), or a range that a search may sample.
struct Axis {
  std::vector<std::string> addresses;
  std::int64_t count = 0;    // values in the list; 0: a range only
  double low = 0, high = 0;  // of the range; a list of numbers gives its least and greatest
  bool log = false;          // sample the logarithm uniformly
  bool integer = false;
};

/// What to try along one axis: the index into its list, or a value in its range.
struct Choice {
  std::int64_t index = -1;  // >= 0: this entry of the list
  double value = 0;         // else this value
};

using Point = std::vector<Choice>;  // one Choice for each Axis, in order

class AdaptiveSearch;

/// Proposes which points of a sweep to try. A proposal is a function of the axes and the stream
/// alone, never of time or of how many trials run side by side.
class Search : public PartBase {
 public:
  static constexpr std::string_view kKind = "search";

  /// All points at once. Throws Error where an axis can't be searched this way (a range without a
  /// count, on a grid).
  [[nodiscard]] virtual std::vector<Point> propose(const std::vector<Axis>& axes,
                                                   const Stream& stream) const = 0;

  template <class T>
  static constexpr void describe(manifest_detail::Text& out, const T* /*part*/) {
    out.key("adaptive"), out.raw(std::derived_from<T, AdaptiveSearch> ? "true" : "false");
  }
};

/// A piece of work that an adaptive search asks for: a point, to be trained up to an epoch.
struct Job {
  std::int64_t point = 0;  // its number; a new point has the next number, from 0 on
  Point choices;           // of a new point
  std::int64_t until = 0;  // epochs trained when it ends; 0: all of training
  /// Of a new point: another point, whose training up to where it stands now the new one shares,
  /// weights, state and values of the axes, to go on from there with its own choices. Every axis
  /// must then be a live parameter.
  std::int64_t parent = -1;
};

/// One thing that happened, in logical order: a job began, or it ended with these values.
struct Happening {
  std::int64_t job = 0;
  bool ended = false;
  std::vector<double> values;  // of each objective, the mean over the seeds; NaN: it failed
};

/// All that an adaptive search may know.
struct History {
  std::int64_t epochs = 0;     // of a whole training
  std::vector<bool> maximize;  // of each objective: the greater the better
  std::vector<Job> jobs;       // in the order in which they began
  std::vector<Happening> happenings;
};

/// A search that looks at results before it proposes more. What it asks for is a function of axes,
/// stream and history alone, and time within the history is logical: `at_once` workers take up
/// jobs, each busy for as many epochs as its job trains, whatever runs how fast. So the trials of a
/// study and their results don't depend on -j, on the machine's load or on kills.
class AdaptiveSearch : public Search {
 public:
  [[nodiscard]] std::vector<Point> propose(const std::vector<Axis>& /*axes*/,
                                           const Stream& /*stream*/) const final {
    return {};
  }

  /// Before the first job: throws Error where these axes or this length of training can't be
  /// searched.
  virtual void check(const std::vector<Axis>& axes, std::int64_t epochs) const = 0;
  /// How many jobs are under way at a time, in logical time: the most that -j can make use of.
  [[nodiscard]] virtual std::int64_t at_once() const = 0;
  /// Metrics that are objectives besides the study's own.
  [[nodiscard]] virtual std::vector<std::string> objectives() const { return {}; }
  /// The job for a worker that is free; nothing if there is none before another ends, or, with none
  /// under way, none any more. Called again with a longer history; may keep what it computed from a
  /// shorter one.
  virtual std::optional<Job> next(const std::vector<Axis>& axes, const Stream& stream,
                                  const History& history) = 0;
};

}  // namespace paribus
