// SPDX-License-Identifier: Apache-2.0
#include "driver/verify_rerun.h"

#include <fmt/core.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "driver/interrupt.h"

namespace paribus::driver {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kTick = 100;      // ms
constexpr int kPatience = 500;  // times 20 ms: for the last writes of processes just killed
constexpr int kPaused = 76;     // exit code of a trial that came to its `until`
constexpr double kNever =
    1e9;  // s between checkpoints: none is taken up again, and none changes a number

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "paribus-verify-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw Error(fmt::format("can't make a folder {}: {}; $TMPDIR names another place", pattern,
                            std::strerror(errno)));
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code problem;
  for (int i = 0; i < kPatience; ++i) {
    fs::remove_all(path_, problem);
    if (!problem && !fs::exists(path_, problem)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Rerunner::run(const std::vector<Rerun>& runs, std::size_t at_once, const Ended& ended) {
  std::size_t next = 0;
  engine_.confine_to({folder_.path()});
  while (next < runs.size() || !running_.empty()) {
    if (interrupts() > 0) {
      engine_.worker().end_now();  // before its folder goes; nothing of it is worth keeping
      throw Interrupted();
    }
    while (next < runs.size() && running_.size() < at_once) start(runs[next++], ended);
    for (auto event = engine_.worker().next_event(kTick); event;
         event = engine_.worker().next_event(0))
      handle(*event, ended);
    observer_.tick();
  }
}

void Rerunner::start(const Rerun& run, const Ended& ended) {
  const std::string name = run.trial->id + run.suffix;
  fs::create_directories(folder_.path() / "journal");
  json spec = run.trial->spec();
  spec["train"]["checkpoint_seconds"] = kNever;
  const int slot = engine_.board().take();
  running_[name] = {&run, slot};
  observer_.started(*run.trial, engine_.board().slot(slot));
  json request = {{"trial", name},
                  {"arm", run.trial->arm},
                  {"dir", folder_.path().string()},
                  {"spec", spec},
                  {"facts", run.trial->facts()},
                  {"files", run.trial->files()},
                  {"metric", metric_},
                  {"slot", slot},
                  {"until", run.stops ? run.last_full : 0}};
  if (run.last_full > 0)
    request["fingerprints"] = {{"from", run.first_full}, {"to", run.last_full}};
  try {
    engine_.worker().call_regardless("start", request);
  } catch (const Refused& refused) {
    end(name, {.code = 1, .message = refused.what()}, ended);
  }
}

void Rerunner::handle(const json& event, const Ended& ended) {
  if (event.value("event", "") != "exit") return;
  const std::string name = event.value("trial", "");
  if (!running_.contains(name)) return;
  Outcome outcome;
  outcome.code = event.value("code", 0);
  outcome.signal = event.value("signal", 0);
  outcome.reason = event.value("reason", "");
  if (outcome.code == kPaused) outcome.code = Outcome::kStopped;
  if (const auto message = event.find("message"); message != event.end() && message->is_string())
    outcome.message = *message;
  if (outcome.signal != 0 && outcome.message.empty())
    outcome.message = "its process was ended by " + signal_name(outcome.signal);
  end(name, outcome, ended);
}

void Rerunner::end(const std::string& name, const Outcome& outcome, const Ended& ended) {
  const Running running = running_.at(name);
  const fs::path file = folder_.path() / "journal" / (name + ".log");
  const journal::Record record = fs::exists(file) ? journal::read(file) : journal::Record();
  Outcome told = outcome;
  const json* said = record.last("end");
  if (said != nullptr && told.message.empty()) told.message = said->value("message", "");
  fs::remove_all(folder_.path() / "checkpoints" / name);
  fs::remove(file);
  observer_.ended(*running.run->trial, told);
  engine_.board().give_back(running.slot);
  running_.erase(name);
  ended(*running.run, told, record);
}

}  // namespace paribus::driver
