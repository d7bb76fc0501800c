// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "paribus/error.h"
#include "paribus/plugin.h"
#include "paribus/record.h"
#include "paribus/value.h"

namespace paribus {

/// The peer can't take it now. The same call comes again, after `seconds` where the peer named a
/// wait (0: the uplink's own, longer each time).
class __attribute__((visibility("default"))) TryLater : public Error {
 public:
  explicit TryLater(const std::string& what, double seconds_to_wait = 0)
      : Error(what), seconds(seconds_to_wait) {}
  double seconds;
};

/// What was delivered of this trial is gone from where it was put: it is all to come again, from
/// `begin` on, with an empty memo.
class __attribute__((visibility("default"))) StartOver : public Error {
 public:
  using Error::Error;
};

/// One number of a trial. `time`: seconds since 1970, about when it was recorded; the same whenever
/// the point is delivered again.
struct TrackedPoint {
  std::string_view metric, unit;
  std::int64_t step = 0;  // batches since the start of training
  double value = 0;
  double time = 0;
};

/// How values were spread at a step; `time` as of a point.
struct TrackedHistogram {
  std::string_view name;
  std::int64_t step = 0;
  double time = 0;
  Histogram values;
};

/// A picture of a step; `time` as of a point.
struct TrackedPicture {
  std::string_view name;
  std::int64_t step = 0;
  double time = 0;
  std::int64_t width = 0, height = 0;
  std::string png;     // the bytes of its file
  std::string sha256;  // of those, in hexadecimal digits
};

/// A line that the process of a trial printed, without its end; `time`: about when, seconds since
/// 1970.
struct TrackedLine {
  std::string text;
  double time = 0;
};

/// What a study's directory holds for people: `name` is what to call it.
struct TrackedFile {
  std::string name;
  std::filesystem::path path;
};

struct TrackedStudy {
  std::string name, question, metric;
  bool maximize = true;             // the greater `metric` the better
  std::filesystem::path directory;  // of the study; where to write: Uplink::folder
};

struct TrackedTrial {
  std::string id, arm;
  std::uint64_t seed = 0;
  std::map<std::string, Value> parameters;  // every one, by address; those not given are left out
  std::string config;                       // the same as JSON, in its tables
  double started = 0;                       // seconds since 1970
  std::int64_t sent = 0;   // points delivered before this call: the number of the next one
  std::int64_t lines = 0;  // of output, likewise
  /// The tracker's own: kept, together with what is delivered, when a call returns.
  std::string memo;
};

struct TrackedEnd {
  std::string status;   // done, failed; stopped, paused: it may go on, and end again
  std::string message;  // "" if all is well
  double time = 0;      // seconds since 1970
  double seconds = 0;   // of training
  std::int64_t steps = 0;
  std::map<std::string, double> final_values{}, best_values{};  // NaN: not finite
  std::vector<TrackedFile> files{};  // output.txt: what it printed; weights.safetensors, at its end
};

struct HttpRequest {
  std::string method = "POST";
  std::string url{};
  std::string body{};
  std::filesystem::path file{};  // whose bytes are the body, where one is named
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string user{}, password{};  // HTTP Basic, where one of them is given
  double seconds = 60;             // for all of it
};

struct HttpAnswer {
  long status = 0;
  std::string body{};  // at most 4 MiB
  bool cut = false;    // it was longer
  /// Seconds from one request to the next, by which the peer's rate limit isn't reached
  /// (RateLimit-Remaining, RateLimit-Reset); 0: it named none.
  double pace = 0;
};

/// What the process around a tracker does for it.
class Uplink {
 public:
  virtual ~Uplink() = default;

  /// Certificates are verified, redirects not followed, connections kept. Throws TryLater for what
  /// may pass: no connection, a time-out, an answer cut short, 408, 425, 429 and 5xx but 501; Error
  /// for a certificate or an address that is wrong. Any other answer is returned.
  virtual HttpAnswer http(const HttpRequest& request) = 0;
  /// A text file of the study's directory, without the secrets that the uplink knows, as UTF-8.
  /// Empty where there is none, or it is longer than 64 MiB.
  virtual std::string text_of(const std::filesystem::path& file) = 0;
  /// From the environment, else, where a host is given, the password that netrc has for it; "" if
  /// there is none. The uplink writes it into no file and no message.
  virtual std::string secret(std::string_view variable, std::string_view host = {}) = 0;
  /// A folder of the tracker's own in the study's directory, made by the first call.
  virtual std::filesystem::path folder() = 0;
};

/// Watches trials from outside: a process apart reads their journals and hands on what they hold.
/// Calls come from one thread. What a call threw, or was killed in, comes again: with the same
/// points in the same order, so that what the peer has already can be told by `trial.sent`, by
/// step, or by what `trial.memo` said. A trial's points come in the order of its journal, each
/// series by rising step.
class Tracker : public PartBase {
 public:
  static constexpr std::string_view kKind = "tracker";

  /// First of all, once in each process.
  virtual void open(const TrackedStudy& /*study*/, Uplink& uplink) { uplink_ = &uplink; }
  /// Before the first points of a trial in each process; its memo is not empty if it was begun
  /// before.
  virtual void begin(TrackedTrial& /*trial*/) {}
  virtual void log(TrackedTrial& trial, std::span<const TrackedPoint> points) = 0;
  /// What is more than a number comes in its place among the points, by itself.
  virtual void log_histograms(TrackedTrial& /*trial*/,
                              std::span<const TrackedHistogram> /*histograms*/) {}
  virtual void log_pictures(TrackedTrial& /*trial*/, std::span<const TrackedPicture> /*pictures*/) {
  }
  /// Whether `output` is to be called.
  [[nodiscard]] virtual bool takes_output() const { return false; }
  /// What the trial's process printed, line by line; `trial.lines` is the number of the first.
  virtual void output(TrackedTrial& /*trial*/, std::span<const TrackedLine> /*lines*/) {}
  /// Nothing came of a trial for half a minute, and its process is at work.
  virtual void alive(TrackedTrial& /*trial*/) {}
  /// A trial that was stopped may get points after it, and another end.
  virtual void end(TrackedTrial& /*trial*/, const TrackedEnd& /*end*/) {}
  /// No more points come for this trial in this process, or not soon: what is held for it can go.
  virtual void leave(TrackedTrial& /*trial*/) {}
  /// All that there was has been delivered, and the study is over. `files` is what it left to read:
  /// its report. Comes again where those are others.
  virtual void close(std::span<const TrackedFile> /*files*/) {}

  template <class T>
  static constexpr void describe(manifest_detail::Text& /*out*/, const T* /*part*/) {}

 protected:
  [[nodiscard]] Uplink& uplink() const { return *uplink_; }

 private:
  Uplink* uplink_ = nullptr;
};

}  // namespace paribus
