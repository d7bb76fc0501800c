// SPDX-License-Identifier: Apache-2.0
#include "check_command.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "driver/check.h"
#include "driver/interrupt.h"
#include "driver/meter.h"
#include "live.h"
#include "run_command.h"
#include "study/adaptive.h"

namespace paribus {

namespace {

using nlohmann::json;

constexpr std::size_t kMostArms = 40;  // that a terminal bears

struct Request {
  std::filesystem::path study;
  std::vector<std::string> overrides;
  bool as_json = false, locked = false;
};

json error_json(const StudyError& error) {
  json problems = json::array();
  for (const Diagnostic& problem : error.problems()) {
    problems.push_back({{"file", problem.file},
                        {"line", problem.line},
                        {"column", problem.column},
                        {"message", problem.message}});
  }
  return {{"ok", false}, {"problems", problems}};
}

/// Steps that trials ask for, each trial once, and those that they don't share.
struct Steps {
  std::int64_t asked = 0, run = 0;

  explicit Steps(const driver::CheckedStudy& checked) {
    std::set<std::string> seen;
    for (const driver::Trial& trial : checked.trials) {
      if (seen.insert(trial.id).second) asked += trial.steps;
    }
    run = asked;
    for (const driver::Shared& one : checked.shared) run -= one.steps;
  }
};

json study_json(const driver::CheckedStudy& checked) {
  json trials = json::array();
  for (const driver::Trial& trial : checked.trials) {
    trials.push_back({{"id", trial.id},
                      {"arm", trial.arm},
                      {"seed", trial.seed},
                      {"values", trial.values},
                      {"steps", trial.steps},
                      {"facts", trial.facts()}});
  }
  json design = to_json(checked.study.design);
  if (!design.is_null()) design["confounded"] = confounded(checked.study.design);
  const Steps steps(checked);
  return {
      {"ok", true},
      {"steps", {{"asked", steps.asked}, {"run", steps.run}}},
      {"metric", checked.study.metric},
      {"max_seeds", checked.study.until_decided ? json(checked.study.max_seeds) : json(nullptr)},
      {"arms", checked.study.arms},
      {"design", design},
      {"trials", trials}};
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

/// One line for each arm: what its trials have in common. Of many, the first few.
void print_arms(const driver::CheckedStudy& checked) {
  std::vector<std::string> arms = checked.study.arms;
  if (arms.size() > kMostArms) arms.resize(kMostArms);
  int width = 3;
  for (const std::string& arm : arms) width = std::max(width, driver::columns(arm));
  fmt::print("{}  {:>6}  {:>9}  {:>11}  {:>11}  {}\n", driver::padded("arm", width), "trials",
             "steps", "parameters", "train items", "computes with");
  for (const std::string& arm : arms) {
    std::size_t count = 0;
    const driver::Trial* one = nullptr;
    for (const driver::Trial& trial : checked.trials) {
      if (trial.arm == arm) ++count, one = &trial;
    }
    if (one == nullptr) continue;
    const json& facts = one->facts();
    fmt::print("{}  {:>6}  {:>9}  {:>11}  {:>11}  {} {} {}\n", driver::padded(arm, width), count,
               grouped(one->steps), grouped(facts.value("parameters", std::int64_t{0})),
               grouped(facts.value("train_items", std::int64_t{0})), facts.value("device", "?"),
               facts.value("precision", "?"), facts.value("memory_format", "?"));
  }
  if (arms.size() < checked.study.arms.size())
    fmt::print("... and {} more; --json lists all\n", checked.study.arms.size() - arms.size());
}

/// What a fractional design can't tell apart.
void print_design(const Design& design) {
  if (design.kind != "fractional") return;
  fmt::print("{} factors in {} arms, resolution {}", design.factors.size(), design.on.size(),
             roman(resolution_of(design)));
  const std::vector<std::string> lines = confounded(design);
  fmt::print("{}\n", lines.empty() ? ": no effect of two factors or fewer is confounded"
                                   : "; confounded with each other are:");
  for (const std::string& line : lines) fmt::print("  {}\n", line);
}

void print_sum(const std::string& file, const driver::CheckedStudy& checked) {
  if (checked.study.adaptive) {
    fmt::print("{} is fine: search/{} decides as it goes which trials are run; metric {}\n", file,
               checked.study.adaptive->search().use, checked.study.metric);
    return;
  }
  const Steps steps(checked);
  const std::string shared = steps.run == steps.asked
                                 ? ""
                                 : fmt::format(", {} to be run since {} trials begin as others do",
                                               grouped(steps.run), checked.shared.size());
  const std::string more =
      checked.study.until_decided
          ? fmt::format(", then one seed at a time until decided, at most {} of each arm",
                        checked.study.max_seeds)
          : "";
  fmt::print("{} is fine: {} trial{}, {} steps in all{}{}; metric {}\n", file,
             checked.trials.size(), checked.trials.size() == 1 ? "" : "s", grouped(steps.asked),
             shared, more, checked.study.metric);
}

int check(const Request& request) {
  driver::watch_interrupts();
  const auto display = make_display(request.as_json);
  driver::Engine engine;
  if (request.locked) engine.pin(driver::read_lock(driver::lock_beside(request.study)));
  try {
    const driver::CheckedStudy checked =
        driver::check_study(request.study, request.overrides, engine, *display);
    display->finish();
    if (request.as_json) {
      fmt::print("{}\n", study_json(checked).dump(2, ' ', false, json::error_handler_t::replace));
      return 0;
    }
    if (!checked.trials.empty()) print_arms(checked);
    print_design(checked.study.design);
    print_sum(request.study.string(), checked);
    return 0;
  } catch (const StudyError& error) {
    if (!request.as_json) throw;
    fmt::print("{}\n", error_json(error).dump(2, ' ', false, json::error_handler_t::replace));
    return 2;
  }
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_status) {
  CLI::App* command =
      app.add_subcommand("check", "check a study with all its shapes, and run nothing");
  auto request = std::make_shared<Request>();
  command->add_option("STUDY.toml", request->study, "the study's file (TOML)")
      ->required()
      ->type_name("");
  command
      ->add_option("-s,--set", request->overrides,
                   "override one key of the study; may be given again")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  add_locked_option(*command, request->locked);
  command->add_flag("--json", request->as_json, "the answer as JSON on stdout");
  command->callback([request, &exit_status] { exit_status = check(*request); });
}

}  // namespace paribus
