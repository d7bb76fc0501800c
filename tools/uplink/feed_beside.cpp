// SPDX-License-Identifier: Apache-2.0

// What is delivered of a trial beside its points: histograms and pictures, samples, and what it
// printed.

#include "feed.h"
#include "files.h"
#include "registry/sha256.h"
#include "results/trial_log.h"
#include "uplink/output.h"

namespace paribus::uplink {

namespace {

constexpr std::size_t kMostOutput = 256 << 10;         // bytes of what a trial printed, about
constexpr std::chrono::duration<double> kSilence{30};  // after which a trial is said to be alive

}  // namespace

/// Whether there was anything to deliver that isn't in its journal. A trial that has ended is told
/// of nothing until it goes on.
bool Feed::deliver_beside(Trial& trial, const Intent& intent, bool is_over) {
  Position& position = trial.position;
  if (position.started == 0) position.started = intent.started;
  if (position.started == 0 || position.ended) return false;
  trial.told.started = position.started;
  const bool is_new = intent.until == 0;
  return ((is_new || intent.source == Source::system) && deliver_system(trial, intent)) ||
         ((is_new || intent.source == Source::output) && deliver_output(trial, intent, is_over));
}

/// Whether there were samples of it.
bool Feed::deliver_system(Trial& trial, const Intent& intent) {
  Position& position = trial.position;
  const SystemBatch batch = ledger_.system().of(trial.told.id, position.system, kMostPoints,
                                                static_cast<std::int64_t>(intent.until));
  if (batch.points.empty()) return false;
  std::vector<TrackedPoint> points;
  for (const SystemBatch::Point& one : batch.points) {
    const double time = batch.started + static_cast<double>(one.step);
    if (fits(request_.only, one.metric))
      points.push_back({one.metric, one.unit, one.step, one.value, time});
  }
  if (points.empty()) {
    position.system = batch.until;
    return true;
  }
  const auto until = static_cast<std::uint64_t>(batch.until);
  if (intent.until == 0)
    positions_->intend(trial.told.id, {until, position.time, Source::system, position.started});
  begin(trial);
  hand_over(trial, [&] { tracker_->log(trial.told, points); });
  position.sent += static_cast<std::int64_t>(points.size());
  position.system = batch.until;
  keep(trial);
  return true;
}

/// Whether it had printed anything more; an unfinished line waits unless it is over.
bool Feed::deliver_output(Trial& trial, const Intent& intent, bool is_over) {
  if (!tracker_->takes_output()) return false;
  Position& position = trial.position;
  const OutputBatch batch = read_output(results::trial_log_path(ledger_.dir(), trial.told.id),
                                        position.output, kMostOutput, intent.until, is_over);
  if (batch.lines.empty()) return false;
  const double time = intent.until > 0 ? intent.time : std::min(batch.changed, seconds_now());
  std::vector<TrackedLine> lines;
  for (const std::string& line : batch.lines) lines.push_back({secrets_.masked(line), time});
  if (intent.until == 0)
    positions_->intend(trial.told.id, {batch.until, time, Source::output, position.started});
  begin(trial);
  hand_over(trial, [&] { tracker_->output(trial.told, lines); });
  position.lines += static_cast<std::int64_t>(lines.size());
  position.output = batch.until;
  keep(trial);
  return true;
}

void Feed::show(Trial& trial, const Batch& batch, double time) {
  std::vector<TrackedHistogram> histograms;
  for (const BatchShown& one : batch.histograms) {
    if (fits(request_.only, one.name)) histograms.push_back({one.name, one.step, time, one.values});
  }
  if (!histograms.empty()) tracker_->log_histograms(trial.told, histograms);
  std::vector<TrackedPicture> pictures;
  for (const BatchShown& one : batch.pictures) {
    const auto size = png_size(one.png);
    if (size && fits(request_.only, one.name))
      pictures.push_back({one.name, one.step, time, size->first, size->second, one.png,
                          registry::sha256(one.png)});
  }
  if (!pictures.empty()) tracker_->log_pictures(trial.told, pictures);
}

/// A peer takes a run of which it hears nothing for dead.
void Feed::show_alive(Trial& trial) {
  if (!trial.begun || trial.exited || trial.position.ended || finishing_ ||
      Clock::now() - trial.told_of < kSilence)
    return;
  hand_over(trial, [&] { tracker_->alive(trial.told); });
}

/// Once for each state of what the study left; `positions_` has it under a name that no trial has.
void Feed::close() {
  if (closed_) return;
  const auto [files, mark] = closing_files(ledger_.dir());
  Position position = positions_->of("");
  if (!files.empty() && position.memo != mark) {
    tracker_->close(files);
    position.memo = mark;
    positions_->put("", position);
  }
  closed_ = true;
}

}  // namespace paribus::uplink
