// SPDX-License-Identifier: Apache-2.0
#include "feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "files.h"
#include "journal/journal.h"
#include "uplink/flat.h"

namespace paribus::uplink {

namespace {

using nlohmann::json;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kLook{0.25};                      // between looks at the journals
constexpr Seconds kTell{1};                         // between status files that say nothing new
constexpr double kFirstWait = 0.5, kMostWait = 60;  // s after failures

std::map<std::string, double> numbers(const json& from) {
  std::map<std::string, double> values;
  if (!from.is_object()) return values;
  for (const auto& [name, value] : from.items())
    values[name] = value.is_number() ? value.get<double>() : std::nan("");
  return values;
}

TrackedEnd end_of(const json& event, double time) {
  TrackedEnd end{event.value("status", "failed"), event.value("message", ""), time};
  end.seconds = event.value("seconds", 0.0);
  end.steps = event.value("steps", std::int64_t{0});
  end.final_values = numbers(event.value("final", json()));
  end.best_values = numbers(event.value("best", json()));
  return end;
}

}  // namespace

Feed::Feed(const TrackerRequest& request, bool again, const PartFactory& factory,
           const Ledger& ledger, Secrets& secrets)
    : request_(request),
      again_(again),
      factory_(factory),
      ledger_(ledger),
      secrets_(secrets),
      host_(ledger.dir() / "trackers" / request.name(), secrets) {
  status_.name = request.name();
  status_.part = request.part.kind + "/" + request.part.use;
}

Feed::~Feed() = default;

std::filesystem::path Feed::log_file() const {
  return state_folder(ledger_.dir()) / (status_.name + ".log");
}

void Feed::open() {
  // An uplink whose driver was killed may still be ending.
  if (!positions_ && journal::has_writer(log_file()))
    throw TryLater("another process has " + log_file().string() + " open");
  if (!positions_) {
    positions_ = std::make_unique<Positions>(
        log_file(), [this](std::string text) { return secrets_.masked(std::move(text)); });
    if (again_) positions_->forget_all();
  }
  instance_ = std::make_unique<Instance>(request_.part, factory_);
  auto& tracker = instance_->as<Tracker>();
  const results::StudyHead head = ledger_.head();
  tracker.open({head.name, head.question, head.metric, head.goal != "minimize", ledger_.dir()},
               host_);
  tracker_ = &tracker;
}

void Feed::run(const std::atomic<bool>& finishing, const std::atomic<Clock::time_point>& deadline) {
  host_.stop_at(deadline);
  try {
    while (true) {
      finishing_ = finishing;
      bool did_some = false;
      if (Clock::now() >= not_before_) {
        try {
          if (tracker_ == nullptr) open();
          did_some = deliver_some();
          if (finishing_ && trials_.empty()) close();
          failures_ = 0;
          tell_of_deliveries();
        } catch (const TryLater& problem) {
          wait_after(problem);
        }
      }
      if (finishing_ && (is_whole() || status_.state == "incomplete")) break;
      if (finishing_ && std::max(not_before_, Clock::now()) >= deadline.load()) break;
      if (!did_some) std::this_thread::sleep_for(kLook);
    }
  } catch (const std::exception& problem) {
    tell("gave up", secrets_.masked(problem.what()));
  } catch (...) {
    tell("gave up", status_.part + ": it threw what is no std::exception");
  }
  if (positions_) positions_->sync();
}

/// Longer each time, and not all at once; or as long as the peer asked for.
void Feed::wait_after(const TryLater& problem) {
  static thread_local std::minstd_rand jitter{std::random_device{}()};
  double wait = std::min(kMostWait, kFirstWait * std::exp2(std::min(failures_++, 10)));
  wait *= std::uniform_real_distribution(1.0, 1.25)(jitter);
  if (problem.seconds > 0) wait = problem.seconds;
  not_before_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(wait));
  tell("waiting", secrets_.masked(problem.what()));
}

void Feed::tell_of_deliveries() {
  if (!trials_.empty()) return tell("delivering", "");
  if (unread_.empty()) return tell("up to date", "");
  tell("incomplete", unread_.begin()->second);
}

void Feed::tell(const std::string& state, const std::string& problem) {
  const std::string line = problem.substr(0, problem.find('\n'));
  const auto now = Clock::now();
  const bool is_new = state != status_.state || line != status_.problem;
  status_.state = state;
  status_.problem = line;
  status_.trials = static_cast<std::int64_t>(trials_.size());
  if (positions_) status_.points = positions_->sent();
  if (!is_new && (now - told_ < kTell || state == "up to date")) return;
  told_ = now;
  // Whoever is at it has its own to say.
  if (positions_ || !journal::has_writer(log_file())) write_status(ledger_.dir(), status_);
}

void Feed::look_for_trials() {
  for (const Happening& happening : ledger_.since(seen_)) {
    if (!ledger_.trial(happening.trial)) continue;
    auto& trial = trials_[happening.trial];
    if (!trial) {
      trial = std::make_unique<Trial>();
      trial->told.id = happening.trial;
    }
    trial->exited = happening.ended;
    trial->exit_message = happening.message;
    trial->has_end = happening.has_end;
  }
}

/// What it takes to deliver something of a trial; those that wait their turn, or are whole, hold
/// next to nothing.
void Feed::prepare(Trial& trial) {
  if (trial.prepared) return;
  trial.position = positions_->of(trial.told.id);
  trial.told.memo = trial.position.memo;
  trial.prepared = true;
}

/// A batch of each trial that runs, all of each that has ended; whether there was any. Those of
/// which nothing more comes are let go one by one: a study may have many.
bool Feed::deliver_some() {
  look_for_trials();
  bool did_some = false;
  for (auto at = trials_.begin(); at != trials_.end();) {
    Trial& trial = *at->second;
    try {
      while (deliver_of(trial)) {
        did_some = true;
        tell("delivering", "");
        if (!trial.exited) break;
      }
    } catch (const StartOver&) {
      start_over(trial);
      did_some = true;
    }
    show_alive(trial);
    const bool is_finished = trial.caught_up && (trial.exited || finishing_);
    if (is_finished && trial.begun) tracker_->leave(trial.told);
    at = is_finished ? trials_.erase(at) : std::next(at);
  }
  return did_some;
}

/// Whether anything was there to deliver.
bool Feed::deliver_of(Trial& trial) {
  const std::string& id = trial.told.id;
  const auto journal = results::journal_path(ledger_.dir(), id);
  prepare(trial);
  trial.caught_up = !std::filesystem::exists(journal);
  if (trial.caught_up) return false;
  auto intent = positions_->intent(id);
  if (intent && intent->source != Source::journal) {  // it was about to be delivered
    if (deliver_beside(trial, *intent, false)) return true;
    intent.reset();
  }
  Batch batch;
  try {
    batch = read_batch(journal, trial.position, kMostPoints, intent ? intent->until : 0);
  } catch (const Error& problem) {  // it costs this trial what can't be read, and no other
    if (unread_.try_emplace(id, problem.what()).second) fmt::print(stderr, "{}\n", problem.what());
    trial.caught_up = true;
    return false;
  }
  unread_.erase(id);
  if (!batch.next.ended) trial.position.ended = false;  // it goes on
  // Nothing may come after an end, so this comes before it.
  const bool is_over = trial.exited || batch.end;
  if (!intent && deliver_beside(trial, {.started = batch.next.started}, is_over)) return true;
  if (batch.next.at == trial.position.at) {
    end(trial, batch);
    return false;
  }
  if (!batch.has_something()) {  // nothing that a tracker needs to know
    batch.next.sent = trial.position.sent;
    batch.next.time = trial.position.time;
    trial.position = batch.next;
    return true;
  }
  const double time = intent ? intent->time : time_of(trial, batch);
  if (!intent) positions_->intend(id, {batch.next.at, time});
  trial.told.started = batch.next.started;
  begin(trial);
  hand_over(trial, [&] { tell_batch(trial, batch, time); });
  Position next = batch.next;
  next.sent = trial.told.sent;
  next.time = time;
  next.ended = batch.end.has_value();
  trial.position = std::move(next);
  keep(trial);
  return true;
}

/// What it throws leaves the trial as it was when the same call comes again.
void Feed::hand_over(Trial& trial, const std::function<void()>& call) {
  const std::string memo = trial.told.memo;
  trial.told.sent = trial.position.sent;
  trial.told.lines = trial.position.lines;
  trial.told_of = Clock::now();
  try {
    call();
  } catch (...) {
    trial.told.memo = memo;
    trial.told.sent = trial.position.sent;
    throw;
  }
}

void Feed::tell_batch(Trial& trial, const Batch& batch, double time) {
  if (!batch.points.empty()) return log(trial, batch, time);
  if (!batch.end) return show(trial, batch, time);
  TrackedEnd end = end_of(*batch.end, time);
  end.files = files_of(ledger_.dir(), trial.told.id);
  tracker_->end(trial.told, end);
}

void Feed::begin(Trial& trial) {
  if (trial.begun) return;
  const auto described = ledger_.trial(trial.told.id);
  Flat known = flat(*described);
  trial.told.arm = described->arm;
  trial.told.seed = static_cast<std::uint64_t>(described->seed);
  trial.told.parameters = std::move(known.parameters);
  trial.told.config = known.tables.dump(-1, ' ', false, json::error_handler_t::replace);
  hand_over(trial, [&] { tracker_->begin(trial.told); });
  trial.begun = true;
}

void Feed::log(Trial& trial, const Batch& batch, double to) {
  const double from =
      std::min(to, trial.position.time > 0 ? trial.position.time : batch.next.started);
  std::vector<bool> wanted;
  for (const Series& one : batch.next.series) wanted.push_back(fits(request_.only, one.name));
  std::vector<TrackedPoint> points;
  points.reserve(batch.points.size());
  for (std::size_t i = 0; i < batch.points.size(); ++i) {
    const BatchPoint& point = batch.points[i];
    if (!wanted[point.series]) continue;
    const double part = static_cast<double>(i + 1) / static_cast<double>(batch.points.size());
    const Series& series = batch.next.series[point.series];
    points.push_back(
        {series.name, series.unit, point.step, point.value, from + (to - from) * part});
  }
  if (points.empty()) return;
  tracker_->log(trial.told, points);
  trial.told.sent += static_cast<std::int64_t>(points.size());
}

/// A journal holds no times of points: they are spread evenly over its bytes, from where the last
/// batch ended to when the file was last written.
double Feed::time_of(const Trial& trial, const Batch& batch) const {
  const double from = trial.position.time > 0 ? trial.position.time : batch.next.started;
  const double to = std::min(batch.changed, seconds_now());
  const auto at = static_cast<double>(trial.position.at);
  const double part = (static_cast<double>(batch.next.at) - at) /
                      std::max(1.0, static_cast<double>(batch.size) - at);
  return std::max(from, from + (to - from) * std::clamp(part, 0.0, 1.0));
}

/// Nothing is left of the journal for now. Where its process ended without a word, the tracker is
/// told so.
void Feed::end(Trial& trial, const Batch& batch) {
  const bool is_silent = trial.position.started > 0 && !trial.position.ended;
  const bool is_over =
      trial.exited || (finishing_ && is_silent &&
                       !journal::has_writer(results::journal_path(ledger_.dir(), trial.told.id)));
  if (is_over && is_silent && trial.has_end) {
    unread_[trial.told.id] =
        fmt::format("journal {}: lacks its end, which the study's log has",
                    results::journal_path(ledger_.dir(), trial.told.id).string());
  } else if (is_over && is_silent) {
    trial.told.started = trial.position.started;
    begin(trial);
    // A clock that was set back doesn't let it end before what it did.
    const double time = std::max({batch.changed, trial.position.time, trial.position.started});
    TrackedEnd end{trial.exited ? "failed" : "stopped", trial.exit_message, time};
    if (end.message.empty()) end.message = "its process ended without a word";
    end.files = files_of(ledger_.dir(), trial.told.id);
    tracker_->end(trial.told, end);
    trial.position.ended = true;
    keep(trial);
  }
  trial.caught_up = trial.exited || finishing_ || trial.position.ended;
}

void Feed::keep(Trial& trial) {
  trial.position.memo = trial.told.memo;
  positions_->put(trial.told.id, trial.position);
  failures_ = 0;  // not one after the other: something went through
}

void Feed::start_over(Trial& trial) {
  positions_->forget(trial.told.id);
  trial.position = {};
  trial.told.memo.clear();
  trial.told.sent = 0;
  trial.begun = false;
}

}  // namespace paribus::uplink
