// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "journal/events.h"
#include "results/study_record.h"

namespace paribus::results {

/// The study that a `plan` event describes, its trials all planned. Throws Error naming the key
/// that is wrong.
StudyRecord read_plan(const nlohmann::json& event);

/// Adds the variants and trials of a `planned` event.
void read_planned(const nlohmann::json& event, StudyRecord& study);

/// How the driver saw a trial's process end.
struct Exit {
  int code = 0, signal = 0;
  std::string message;
  nlohmann::json time;
  std::optional<Outcome> outcome;  // what the trial's own `end` says, where the event holds it
};
Exit read_exit(const nlohmann::json& event);

/// Fills in what is known of a trial: from the driver's last `exit` event about it (or null), and
/// from its journal unless that says it is done. `units` gets those of its series.
void read_trial(const std::filesystem::path& dir, const Exit* exit, Trial& trial,
                std::map<std::string, std::string>& units);
/// The same, but a journal that can't be read makes a trial that failed.
void read_trial_or_say_why(const std::filesystem::path& dir, const Exit* exit, Trial& trial,
                           std::map<std::string, std::string>& units);

/// A number that changes when the file does: never one of those that Trial::learned has names for
/// but kNoJournal where there is none and kBeingWritten where it changed just now.
std::int64_t journal_mark(const std::filesystem::path& path);

/// What is wrong with study.log; "" if nothing.
std::string problem_of(const journal::EventReader& log);

}  // namespace paribus::results
