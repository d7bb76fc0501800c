// SPDX-License-Identifier: Apache-2.0
#include "uplink/ledger.h"

#include <fmt/format.h>

#include <set>

#include "journal/events.h"
#include "paribus/error.h"
#include "results/plan.h"

namespace paribus::uplink {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

Happening exit_of(const json& event) {
  const results::Exit exit = results::read_exit(event);
  Happening end{event.at("trial"), true, exit.message, exit.outcome.has_value()};
  if (end.message.empty() && exit.signal != 0)
    end.message = fmt::format("its process was ended by signal {}", exit.signal);
  return end;
}

}  // namespace

Ledger::Ledger(fs::path dir) : dir_(std::move(dir)), system_(dir_) {
  poll();
  if (!study_)
    throw Error(fmt::format("{}: is not a study's directory: journal/study.log has no plan",
                            dir_.string()));
  const std::lock_guard lock(mutex_);
  take_up_journals();
}

/// The driver's log may have lost its last lines; the journals are there all the same.
void Ledger::take_up_journals() {
  std::set<std::string> known;
  for (const Happening& one : happenings_) known.insert(one.trial);
  for (const auto& [id, trial] : trials_) {
    if (!known.contains(id) && fs::exists(results::journal_path(dir_, id)))
      happenings_.push_back({id, false, ""});
  }
}

void Ledger::poll() {
  const std::lock_guard lock(mutex_);
  const fs::path log = dir_ / "journal" / "study.log";
  std::error_code none;
  const auto size = fs::file_size(log, none);
  if (!none && offset_ > 0 && size <= offset_) return;
  journal::EventReader reader(log, offset_);
  for (json event; reader.next(event);) {
    const std::string name = event.value("event", "");
    if (name == "plan" || name == "planned") add_plan(event);
    const auto trial = event.find("trial");
    if (trial == event.end() || !trial->is_string()) continue;
    if (name == "begin") happenings_.push_back({trial->get<std::string>(), false, ""});
    if (name == "exit") happenings_.push_back(exit_of(event));
  }
  offset_ = reader.offset();
}

/// Trials of earlier plans stay: what they measured is to be delivered all the same.
void Ledger::add_plan(const json& event) {
  std::size_t first = 0;
  if (event.at("event") == "plan") {
    study_ = results::read_plan(event);
  } else if (study_) {
    first = study_->trials.size();
    results::read_planned(event, *study_);
  }
  if (!study_) return;
  for (std::size_t i = first; i < study_->trials.size(); ++i) {
    const results::Trial& trial = study_->trials[i];
    trials_.try_emplace(trial.id, std::make_shared<const results::Trial>(trial));
  }
}

std::vector<Happening> Ledger::since(std::size_t& seen) const {
  const std::lock_guard lock(mutex_);
  const std::vector<Happening> fresh(happenings_.begin() + static_cast<std::ptrdiff_t>(seen),
                                     happenings_.end());
  seen = happenings_.size();
  return fresh;
}

std::shared_ptr<const results::Trial> Ledger::trial(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = trials_.find(id);
  return found == trials_.end() ? nullptr : found->second;
}

results::StudyHead Ledger::head() const {
  const std::lock_guard lock(mutex_);
  return *study_;
}

}  // namespace paribus::uplink
