// SPDX-License-Identifier: Apache-2.0
#include "results/study_record.h"

#include <fmt/format.h>

#include <set>

#include "journal/journal.h"
#include "paribus/error.h"
#include "results/plan.h"

namespace paribus::results {
namespace {

std::map<std::string, const nlohmann::json*> last_exits(const journal::Record& log) {
  std::map<std::string, const nlohmann::json*> exits;
  for (const auto& event : log.events) {
    if (event.value("event", nlohmann::json()) != "exit") continue;
    const auto trial = event.find("trial");
    if (trial != event.end() && trial->is_string()) exits[trial->get<std::string>()] = &event;
  }
  return exits;
}

journal::Record read_log(const std::filesystem::path& dir) {
  const auto path = dir / "journal" / "study.log";
  if (!std::filesystem::is_regular_file(path)) {
    throw Error(fmt::format(
        "{}: is not a study's directory: it has no journal/study.log; give the directory that "
        "`paribus run` wrote",
        dir.string()));
  }
  return journal::read(path);
}

/// The last plan with what was added to it.
StudyRecord read_plans(const journal::Record& log, const std::filesystem::path& dir) {
  const nlohmann::json* plan = log.last("plan");
  if (!plan) {
    throw Error(
        fmt::format("{}: journal/study.log has no plan; run the study again", dir.string()));
  }
  StudyRecord study = read_plan(*plan);
  study.dir = dir;
  for (const nlohmann::json* event = plan + 1; event != log.events.data() + log.events.size();
       ++event) {
    if (event->value("event", nlohmann::json()) == "planned") read_planned(*event, study);
  }
  return study;
}

void read_trial_or_say_why(const nlohmann::json* exit, Trial& trial, StudyRecord& study) {
  try {
    read_trial(study.dir, exit, trial, study);
  } catch (const Error& error) {
    trial.status = Status::failed;
    trial.message = error.what();
    study.problems.emplace_back(error.what());
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

StudyRecord read_study_plan(const std::filesystem::path& dir) {
  return read_plans(read_log(dir), dir);
}

StudyRecord read_study(const std::filesystem::path& dir) {
  const journal::Record log = read_log(dir);
  StudyRecord study = read_plans(log, dir);
  if (log.tail == journal::Tail::damaged) {
    study.problems.push_back(
        fmt::format("journal/study.log: {} at byte {}; the {} bytes from there on are not counted",
                    log.problem, log.valid_bytes, log.torn_bytes));
  }
  const auto exits = last_exits(log);
  for (Trial& trial : study.trials) {
    const auto exit = exits.find(trial.id);
    read_trial_or_say_why(exit == exits.end() ? nullptr : exit->second, trial, study);
  }
  if (!study.metric.empty() && !study.unit.empty()) study.units[study.metric] = study.unit;
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
