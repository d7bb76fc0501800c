// SPDX-License-Identifier: Apache-2.0
#include "driver/scheduler.h"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "driver/interrupt.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

constexpr int kTick = 100;                 // ms
constexpr std::streamoff kLogTail = 4096;  // bytes searched for a trial's last words
constexpr std::size_t kMostLost = 3;       // workers in a row that died before any trial ended

json request_of(const Work& work, const StudyDirectory& directory, const Policy& policy, int slot) {
  const Trial& trial = work.trial;
  json request{{"trial", trial.id},
               {"arm", trial.arm},
               {"dir", directory.path().string()},
               {"spec", trial.spec()},
               {"facts", trial.facts()},
               {"files", trial.files()},
               {"metric", policy.metric},
               {"slot", slot},
               {"until", work.until},
               {"save_at", work.save_at},
               {"keep", policy.keep},
               {"isolate", policy.exec ? "exec" : "fork"},
               {"limits",
                {{"time", policy.limits.time},
                 {"hang", policy.limits.hang},
                 {"memory", policy.limits.memory},
                 {"disk", policy.limits.disk}}}};
  if (!work.from.empty()) request["from"] = {{"trial", work.from}, {"step", work.from_step}};
  return request;
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

Outcome outcome_of(const json& event) {
  Outcome outcome;
  outcome.code = event.value("code", 0);
  outcome.signal = event.value("signal", 0);
  outcome.reason = event.value("reason", "");
  outcome.message = event.value("message", "");
  outcome.stack = event.value("stack", "");
  if (outcome.signal != 0 && outcome.message.empty())
    outcome.message = "its process was ended by " + signal_name(outcome.signal);
  return outcome;
}

}  // namespace

Tally Scheduler::run(Source& source) {
  source_ = &source;
  while (true) {
    try {
      heed_interrupts();
      if (killed_ || (stopping_ && running_.empty())) break;
      take_more(source);
      start_what_can();
      if (running_.empty()) {
        if (queue_.empty() || stopping_) break;
        continue;  // all that was started was refused
      }
      for (auto event = engine_.worker().next_event(kTick); event;
           event = engine_.worker().next_event(0))
        handle(*event, source);
    } catch (const WorkerLost& lost) {
      restart_worker(lost);
    }
    observer_.tick();
  }
  tally_.not_started = queue_.size();
  tally_.stopped += running_.size();  // killed: their journals hold what they were worth
  return tally_;
}

void Scheduler::take_more(Source& source) {
  if (stopping_) return;
  for (Work& work : source.more()) {
    observer_.planned(work);
    queue_.push_back(std::move(work));
  }
}

void Scheduler::start_what_can() {
  for (auto work = queue_.begin(); !stopping_ && work != queue_.end();) {
    if (running_.size() >= policy_.at_once) return;
    if (!can_start(*work)) {
      ++work;
      continue;
    }
    Work now = std::move(*work);
    work = queue_.erase(work);
    start(std::move(now));
  }
}

/// Whether the checkpoint that it begins with is there, or nobody is about to make it.
bool Scheduler::can_start(const Work& work) const {
  if (work.from.empty() || !directory_.status(work.trial.id).empty()) return true;
  const auto is_of = [&](const Work& other) { return other.trial.id == work.from; };
  const bool may_come = running_.contains(work.from) ||
                        std::find_if(queue_.begin(), queue_.end(), is_of) != queue_.end();
  return !may_come || std::filesystem::exists(directory_.branch(work.from, work.from_step));
}

void Scheduler::start(Work work) {
  const std::string id = work.trial.id;
  log_.event({{"event", "begin"}, {"trial", id}, {"time", utc_now()}, {"driver", ::getpid()}});
  const auto entry = running_.emplace(id, Running{std::move(work), engine_.board().take()}).first;
  const Running& running = entry->second;
  observer_.started(running.work.trial, engine_.board().slot(running.slot));
  try {
    const json reply = engine_.worker().call_regardless(
        "start", request_of(running.work, directory_, policy_, running.slot));
    tell_process(id, reply.value("pid", -1));
  } catch (const Refused& refused) {
    end(entry, Outcome{1, 0, "", refused.what(), ""}, *source_);
  }
}

void Scheduler::tell_process(const std::string& trial, pid_t pid) const {
  if (policy_.tell_process) policy_.tell_process(trial, pid);
}

void Scheduler::handle(const json& event, Source& source) {
  if (event.value("event", "") != "exit") return;
  const auto entry = running_.find(event.value("trial", ""));
  if (entry == running_.end()) return;
  lost_in_a_row_ = 0;
  Outcome outcome = outcome_of(event);
  if (outcome.failed() && outcome.message.empty()) outcome.message = last_line(entry->first);
  end(entry, outcome, source);
}

void Scheduler::end(std::map<std::string, Running>::iterator entry, const Outcome& outcome,
                    Source& source) {
  const Trial& trial = entry->second.work.trial;
  tell_process(trial.id, -1);
  json event{{"event", "exit"},          {"trial", trial.id},        {"code", outcome.code},
             {"signal", outcome.signal}, {"reason", outcome.reason}, {"message", outcome.message},
             {"time", utc_now()}};
  if (!outcome.stack.empty()) event["stack"] = outcome.stack;
  const bool said_all =
      outcome.signal == 0 && outcome.reason.empty();  // else its end is of the past
  const auto end = directory_.end_of(trial.id);
  if (end && said_all) event["end"] = *end;
  log_.event(event);
  observer_.ended(trial, outcome);
  engine_.board().give_back(entry->second.slot);
  Work work = std::move(entry->second.work);
  running_.erase(entry);
  if (is_tried_again(work, outcome)) {
    work.trial.resumes = true;
    queue_.push_front(std::move(work));
    return;
  }
  if (outcome.done())
    ++tally_.done;
  else if (outcome.paused())
    ++tally_.paused;
  else if (outcome.stopped())
    ++tally_.stopped, heed_full_disk(end.value_or(json()));
  else
    ++tally_.failed;
  if (!outcome.stopped()) source.ended(work.trial, outcome);
}

/// The next trial would find no room either; those that run may yet end within what they have.
void Scheduler::heed_full_disk(const json& end) {
  if (!end.is_object() || end.value("reason", "") != "disk" || stopping_) return;
  stopping_ = true;
  tally_.no_room = end.value("message", "");
  observer_.note(fmt::format("{}; no more trials are started", tally_.no_room));
}

/// What may have been an accident; an error would come again.
bool Scheduler::is_tried_again(const Work& work, const Outcome& outcome) {
  if (stopping_ || !outcome.accident() || tries_[work.trial.id] >= policy_.retries) return false;
  const std::int64_t tried = ++tries_[work.trial.id];
  observer_.note(fmt::format("{}: {}; taken up again where it was last saved ({} of {})",
                             work.trial.id, outcome.message, tried, policy_.retries));
  return true;
}

/// The worker died, and its trials with it: a new one goes on with them. That is no fault of the
/// trials, but a worker that dies again and again has one that can't be mended here.
void Scheduler::restart_worker(const WorkerLost& lost) {
  if (killed_ || stopping_ || ++lost_in_a_row_ >= kMostLost) throw WorkerLost(lost.what());
  observer_.note(fmt::format("{}; starting another", lost.what()));
  engine_.restart();
  std::list<Work> again;
  for (auto& [id, running] : running_) {
    observer_.ended(running.work.trial, Outcome{Outcome::kStopped, 0, "", "", ""});
    engine_.board().give_back(running.slot);
    running.work.trial.resumes = true;
    again.push_back(std::move(running.work));
  }
  running_.clear();
  queue_.splice(queue_.begin(), again);
}

void Scheduler::heed_interrupts() {
  if (interrupts() == 0) return;
  tally_.interrupted = true;
  if (!asked_) {
    stopping_ = asked_ = true;
    observer_.note("interrupted: stopping at the next step (again to stop at once)");
    ask_all_to_stop();
  }
  if (interrupts() > 1) {
    engine_.worker().kill();
    killed_ = true;
  }
}

void Scheduler::ask_all_to_stop() {
  for (const auto& [id, running] : running_) {
    if (interrupts() > 1) return;
    try {
      engine_.worker().call_regardless("stop", {{"trial", id}});
    } catch (const Refused&) {  // it has just ended of itself; its event is on the way
    } catch (const WorkerLost&) {
      if (interrupts() < 2) throw;
    }
  }
}

std::string Scheduler::last_line(const std::string& trial) const {
  if (const auto said = directory_.end_of(trial)) {
    const auto message = said->find("message");
    if (message != said->end() && message->is_string() && !message->get<std::string>().empty())
      return *message;
  }
  std::ifstream in(directory_.log(trial), std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg();
  in.seekg(std::max<std::streamoff>(0, size - kLogTail));
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace paribus::driver
