// SPDX-License-Identifier: Apache-2.0
#include "results/study_record.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <unordered_map>

#include "journal/crc32c.h"
#include "journal/events.h"
#include "paribus/error.h"
#include "results/busy.h"
#include "results/plan.h"

namespace paribus::results {
namespace {

using nlohmann::json;

using Exits = std::unordered_map<std::string, Exit>;

std::filesystem::path log_path(const std::filesystem::path& dir) {
  const auto path = dir / "journal" / "study.log";
  if (std::filesystem::is_regular_file(path)) return path;
  throw Error(fmt::format(
      "{}: is not a study's directory: it has no journal/study.log; give the directory that "
      "`paribus run` wrote",
      dir.string()));
}

/// The last plan with what was added to it, and how trials ended that were not begun again since.
StudyRecord read_log(journal::EventReader& log, const std::filesystem::path& dir, Exits& exits) {
  std::optional<StudyRecord> study;
  Busy busy;
  for (json event; log.next(event);) {
    const json& name = event.contains("event") ? event["event"] : json();
    if (name == "plan") study = read_plan(event);
    if (name == "planned" && study) read_planned(event, *study);
    busy.take(event);
    const auto trial = event.find("trial");
    if (trial == event.end() || !trial->is_string()) continue;
    if (name == "exit") exits[trial->get<std::string>()] = read_exit(event);
    if (name == "begin") exits.erase(trial->get<std::string>());
  }
  if (!study) {
    throw Error(
        fmt::format("{}: journal/study.log has no plan; run the study again", dir.string()));
  }
  study->dir = dir;
  study->busy = busy.seconds();
  study->log_problem = problem_of(log);
  return std::move(*study);
}

/// The units of metrics that are known from the log alone stand in the trials' journals.
void find_units(StudyRecord& study) {
  std::set<std::string> looked_for;
  for (const Trial& trial : study.trials) {
    for (const auto* metrics : {&trial.last, &trial.best}) {
      for (const auto& [name, value] : *metrics) {
        if (study.units.contains(name) || !looked_for.insert(name).second) continue;
        Trial again;
        again.id = trial.id;
        read_trial_or_say_why(study.dir, nullptr, again, study.units);
      }
    }
  }
}

}  // namespace

std::string_view to_text(Status status) {
  switch (status) {
    case Status::planned:
      return "planned";
    case Status::running:
      return "running";
    case Status::done:
      return "done";
    case Status::failed:
      return "failed";
    case Status::stopped:
      return "stopped";
    case Status::pruned:
      return "pruned";
  }
  return "";
}

std::filesystem::path journal_path(const std::filesystem::path& dir, std::string_view trial) {
  return dir / "journal" / (std::string(trial) + ".log");
}

std::filesystem::path stack_path(const std::filesystem::path& dir, std::string_view trial) {
  return dir / "logs" / (std::string(trial) + ".stack.txt");
}

std::string problem_of(const journal::EventReader& log) {
  if (log.tail() != journal::Tail::damaged) return "";
  return fmt::format("journal/study.log: {} at byte {}; the {} bytes from there on are not counted",
                     log.problem(), log.offset(), log.unread());
}

StudyRecord read_study_plan(const std::filesystem::path& dir) {
  journal::EventReader log(log_path(dir));
  Exits exits;
  return read_log(log, dir, exits);
}

StudyRecord read_study(const std::filesystem::path& dir, StudyLog* read) {
  Exits exits;
  StudyRecord study;
  {
    journal::EventReader log(log_path(dir));
    study = read_log(log, dir, exits);
    if (read) *read = {log.offset(), journal::crc32c(log.taken())};
  }
  for (Trial& trial : study.trials) {
    const auto exit = exits.find(trial.id);
    read_trial_or_say_why(dir, exit == exits.end() ? nullptr : &exit->second, trial, study.units);
  }
  find_units(study);
  if (!study.metric.empty() && !study.unit.empty()) study.units[study.metric] = study.unit;
  if (!study.log_problem.empty()) study.problems.push_back(study.log_problem);
  for (const Trial& trial : study.trials) {
    if (!trial.problem.empty()) study.problems.push_back(trial.problem);
  }
  return study;
}

std::vector<std::string> metrics(const StudyRecord& study) {
  std::set<std::string> names;
  for (const Trial& trial : study.trials) {
    for (const auto& [name, value] : trial.last) names.insert(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace paribus::results
