// SPDX-License-Identifier: Apache-2.0
#include "driver/scheduler.h"

#include <fmt/core.h>

#include <fstream>

#include "driver/interrupt.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

constexpr int kTick = 100;                 // ms
constexpr std::streamoff kLogTail = 4096;  // bytes searched for a trial's last words

}  // namespace

Tally Scheduler::run(const std::vector<Trial>& trials, std::size_t at_once,
                     const std::string& metric) {
  std::size_t next = 0;
  while (next < trials.size() || !running_.empty()) {
    heed_interrupts();
    if (killed_ || (stopping_ && running_.empty())) break;
    while (!stopping_ && next < trials.size() && running_.size() < at_once)
      start(trials[next++], metric);
    if (running_.empty()) continue;  // all that was started was refused
    for (auto event = engine_.worker().next_event(kTick); event;
         event = engine_.worker().next_event(0))
      handle(*event);
    observer_.tick();
  }
  tally_.not_started = trials.size() - next;
  tally_.stopped += running_.size();  // killed: their journals hold what they were worth
  return tally_;
}

void Scheduler::start(const Trial& trial, const std::string& metric) {
  const int slot = engine_.board().take();
  running_[trial.id] = {&trial, slot};
  observer_.started(trial, engine_.board().slot(slot));
  try {
    engine_.worker().call_regardless("start", {{"trial", trial.id},
                                               {"arm", trial.arm},
                                               {"dir", directory_.path().string()},
                                               {"spec", trial.spec},
                                               {"facts", trial.facts},
                                               {"files", trial.files},
                                               {"metric", metric},
                                               {"slot", slot},
                                               {"isolate", exec_ ? "exec" : "fork"},
                                               {"limits",
                                                {{"time", limits_.time},
                                                 {"hang", limits_.hang},
                                                 {"memory", limits_.memory},
                                                 {"disk", limits_.disk}}}});
  } catch (const Refused& refused) {
    end(trial, {.code = 1, .message = refused.what()});
  }
}

void Scheduler::handle(const json& event) {
  if (event.value("event", "") != "exit") return;
  const auto entry = running_.find(event.value("trial", ""));
  if (entry == running_.end()) return;
  Outcome outcome;
  outcome.code = event.value("code", 0);
  outcome.signal = event.value("signal", 0);
  outcome.reason = event.value("reason", "");
  outcome.stack = event.value("stack", "");
  if (const auto message = event.find("message"); message != event.end() && message->is_string()) {
    outcome.message = *message;
  }
  if (outcome.signal != 0 && outcome.message.empty()) {
    outcome.message = "its process was ended by " + signal_name(outcome.signal);
  }
  const bool failed = !outcome.done() && !outcome.stopped();
  if (failed && outcome.message.empty()) outcome.message = last_line(entry->first);
  end(*entry->second.trial, outcome);
}

void Scheduler::end(const Trial& trial, const Outcome& outcome) {
  json event{{"event", "exit"},          {"trial", trial.id},        {"code", outcome.code},
             {"signal", outcome.signal}, {"reason", outcome.reason}, {"message", outcome.message}};
  if (!outcome.stack.empty()) event["stack"] = outcome.stack;
  log_.event(event);
  if (outcome.done())
    ++tally_.done;
  else if (outcome.stopped())
    ++tally_.stopped;
  else
    ++tally_.failed;
  observer_.ended(trial, outcome);
  engine_.board().give_back(running_.at(trial.id).slot);
  running_.erase(trial.id);
}

void Scheduler::heed_interrupts() {
  if (interrupts() == 0) return;
  tally_.interrupted = true;
  if (!stopping_) {
    stopping_ = true;
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
  const std::filesystem::path path = directory_.journal(trial);
  if (std::filesystem::exists(path)) {
    const journal::Record record = journal::read(path);
    if (const json* said = record.last("end")) {
      const auto message = said->find("message");
      if (message != said->end() && message->is_string() && !message->get<std::string>().empty())
        return *message;
    }
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
