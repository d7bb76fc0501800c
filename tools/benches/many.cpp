// SPDX-License-Identifier: Apache-2.0
// Makes the directory of a study whose trials have all been run, but for a few: the check, the plan
// and the journals are the real ones, only what trials measured is made up. Prints what it took.
#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <iostream>

#include "driver/check.h"
#include "driver/directory.h"
#include "driver/plan_event.h"
#include "journal/journal.h"
#include "side.h"

namespace paribus::bench {
namespace {

using nlohmann::json;

constexpr int kPoints = 5;          // of each series
constexpr std::size_t kOdd = 1000;  // of as many trials one is not done, one has no end, one failed

double peak_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Made-up but deterministic.
double accuracy_of(std::size_t number) {
  return 0.7 + 0.2 * std::sin(static_cast<double>(number) * 0.37);
}

json end_of(const driver::Trial& trial, std::size_t number) {
  const bool failed = number % kOdd == 2;
  const double accuracy = accuracy_of(number);
  json last = {{"train.loss", 1 - accuracy}, {"valid.loss", 1.1 - accuracy}};
  last["valid.accuracy"] = accuracy;
  return {{"event", "end"},
          {"status", failed ? "failed" : "done"},
          {"message", failed ? "the loss is not finite at step 7" : ""},
          {"steps", trial.steps},
          {"seconds", 0.25},
          {"final", last},
          {"best", last},
          {"weights_sha256", std::string(48, 'a') + trial.id}};
}

/// Whether the trial came to its end.
bool write_journal(const driver::Trial& trial, std::size_t number,
                   const driver::StudyDirectory& directory) {
  journal::Writer log(directory.journal(trial.id));
  log.event({{"event", "start"},
             {"id", trial.id},
             {"arm", trial.arm},
             {"seed", trial.seed},
             {"facts", trial.facts()}});
  const auto loss = log.series("train.loss", "nat");
  const auto valid_loss = log.series("valid.loss", "nat");
  const auto accuracy = log.series("valid.accuracy", "fraction");
  for (std::int64_t i = 1; i <= kPoints; ++i) {
    const double value = accuracy_of(number) * static_cast<double>(i) / kPoints;
    const std::int64_t step = trial.steps * i / kPoints;
    log.point(loss, step, 1 - value);
    log.point(valid_loss, step, 1.1 - value);
    log.point(accuracy, step, value);
  }
  if (number % kOdd == 1) return false;
  log.event(end_of(trial, number));
  return true;
}

json made(const std::filesystem::path& study, const std::filesystem::path& folder) {
  Clock clock;
  driver::Engine engine;
  driver::Observer silent;
  const driver::CheckedStudy checked = driver::check_study(study, {}, engine, silent);
  const double check_seconds = clock.seconds(), check_mb = peak_mb();
  const driver::StudyDirectory directory(folder);
  Clock writing;
  journal::Writer log(directory.journal("study"));
  log.event(driver::plan_of(checked, "many", json::object()));
  const double plan_mb = peak_mb();
  for (std::size_t number = 0; number < checked.trials.size(); ++number) {
    const driver::Trial& trial = checked.trials[number];
    if (number % kOdd == 0) continue;  // not begun yet
    json exit = {{"event", "exit"}, {"trial", trial.id}, {"code", 0}, {"signal", 0}};
    if (write_journal(trial, number, directory)) {
      exit["end"] = end_of(trial, number);
      exit["code"] = exit["end"]["status"] == "done" ? 0 : 1;
    } else {
      exit["signal"] = 9;
    }
    log.event(exit);
  }
  return {{"trials", checked.trials.size()},
          {"check_seconds", check_seconds},
          {"check_mb", check_mb},
          {"plan_mb", plan_mb},
          {"write_seconds", writing.seconds()},
          {"peak_mb", peak_mb()}};
}

}  // namespace
}  // namespace paribus::bench

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_many STUDY.toml DIR\n");
    return 2;
  }
  std::cout << paribus::bench::made(argv[1], argv[2]) << '\n';
  return 0;
} catch (const std::exception& problem) {
  std::fprintf(stderr, "bench_many: %s\n", problem.what());
  return 1;
}
