// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "paribus/search/sobol.h"

// What adaptive searches share, compiled into each of them.

namespace paribus::search {

/// One happening, in words of points: a job began, or ended.
struct Event {
  const Job& job;
  const Happening& happening;
  bool ended = false;
  std::int64_t epochs = 0;  // trained when the job ends, all of training being a number too
  /// Of a job that ended, its first objective: the greater the better, NaN: it failed. What isn't
  /// finite counts as failed: nothing can be gained from going on with it.
  double score = 0;
};

/// An adaptive search that is told each event once, in order, and then asked. Telling is all that
/// changes it, so what it asks for is a function of the history, however often it was asked.
class Told : public AdaptiveSearch {
 public:
  std::optional<Job> next(const std::vector<Axis>& axes, const Stream& stream,
                          const History& history) final {
    if (!begun_ || history.happenings.size() < read_) {
      begun_ = true, read_ = 0, points_ = 0;
      axes_ = axes, stream_ = stream;
      epochs_ = history.epochs, maximize_ = history.maximize;
      begin();
    }
    for (; read_ < history.happenings.size(); ++read_) {
      const Happening& happening = history.happenings[read_];
      const Job& job = history.jobs.at(static_cast<std::size_t>(happening.job));
      if (!happening.ended && job.point >= points_) points_ = job.point + 1;
      tell({job, happening, happening.ended, job.until == 0 ? epochs_ : job.until,
            happening.ended ? score(happening, history) : 0});
    }
    return ask();
  }

 protected:
  /// Forget all; axes, stream and epochs are known.
  virtual void begin() = 0;
  virtual void tell(const Event& event) = 0;
  [[nodiscard]] virtual std::optional<Job> ask() = 0;

  [[nodiscard]] const std::vector<Axis>& axes() const { return axes_; }
  [[nodiscard]] const Stream& stream() const { return stream_; }
  [[nodiscard]] std::int64_t epochs() const { return epochs_; }  // of a whole training
  [[nodiscard]] std::int64_t points() const { return points_; }  // begun so far
  [[nodiscard]] const std::vector<bool>& maximize() const { return maximize_; }

  /// The next new point, by random or Sobol's sampling, to be trained up to `until`.
  [[nodiscard]] Job new_point(std::string_view sampler, std::int64_t until) const {
    return {.point = points_,
            .choices = sampler == "sobol" ? sobol_point(axes_, stream_, points_)
                                          : random_point(axes_, stream_, points_),
            .until = until_or_all(until)};
  }
  [[nodiscard]] Job go_on(std::int64_t point, std::int64_t until) const {
    return {.point = point, .choices = {}, .until = until_or_all(until)};
  }

  /// Throws Error in the name of `who` where `sampler` can't sample these axes.
  static void check_sampler(const std::string& who, std::string_view sampler,
                            const std::vector<Axis>& axes) {
    if (sampler == "sobol") return Sobol::check(who, axes);
    check_axes(who, axes);
  }

 private:
  [[nodiscard]] std::int64_t until_or_all(std::int64_t until) const {
    return until >= epochs_ ? 0 : until;
  }
  static double score(const Happening& happening, const History& history) {
    constexpr double kFailed = std::numeric_limits<double>::quiet_NaN();
    if (happening.values.empty() || !std::isfinite(happening.values[0])) return kFailed;
    return history.maximize.at(0) ? happening.values[0] : -happening.values[0];
  }

  bool begun_ = false;
  std::size_t read_ = 0;
  std::int64_t points_ = 0, epochs_ = 0;
  std::vector<Axis> axes_;
  Stream stream_;
  std::vector<bool> maximize_;
};

/// Better first: the greater score, of equal ones the older point. What failed comes last.
struct Result {
  double score = 0;
  std::int64_t point = 0;
};
inline bool better(const Result& a, const Result& b) {
  const bool a_failed = std::isnan(a.score), b_failed = std::isnan(b.score);
  if (a_failed != b_failed) return b_failed;
  if (!a_failed && a.score != b.score) return a.score > b.score;
  return a.point < b.point;
}

}  // namespace paribus::search
