// SPDX-License-Identifier: Apache-2.0
#include "status_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "journal/journal.h"
#include "stats/paired.h"
#include "study_reader.h"
#include "table.h"

namespace paribus {
namespace {

using nlohmann::json;
using results::kStatuses;
using results::Status;
using results::StudyRecord;
using results::Trial;

constexpr std::size_t kMostTrials = 20;  // shown in words

struct Options {
  std::string dir;
  bool as_json = false;
};

std::size_t count(const StudyRecord& study, Status status, const std::string* arm = nullptr) {
  return static_cast<std::size_t>(std::count_if(
      study.trials.begin(), study.trials.end(),
      [&](const Trial& trial) { return trial.status == status && (!arm || trial.arm == *arm); }));
}

/// The arm's metric over its seeds: mean ± half-width of its interval.
std::string metric_of(const StudyRecord& study, const std::string& arm) {
  std::vector<double> values;
  for (const Trial& trial : study.trials) {
    const auto& metrics = study.at == "best" ? trial.best : trial.last;
    const auto value = metrics.find(study.metric);
    if (trial.arm != arm || trial.status != Status::done || value == metrics.end()) continue;
    if (std::isfinite(value->second)) values.push_back(value->second);
  }
  if (values.empty()) return "-";
  const auto sample = stats::paired(values, study.alpha);
  const double half = (sample.high - sample.low) / 2;
  return std::isnan(half) ? fmt::format("{:.5g}", sample.mean)
                          : fmt::format("{:.5g} ± {:.2g}", sample.mean, half);
}

std::string progress(const Trial& trial) {
  std::string text;
  if (trial.epochs) text = fmt::format("epoch {:.2f}", *trial.epochs);
  const json spec = trial.spec();
  const auto train = spec.is_object() ? spec.value("train", json()) : json();
  const auto epochs = train.is_object() ? train.value("epochs", json()) : json();
  if (trial.epochs && epochs.is_number()) text += fmt::format(" of {:g}", epochs.get<double>());
  if (trial.steps) text += fmt::format("{}step {}", text.empty() ? "" : ", ", *trial.steps);
  return text;
}

json to_json(const Trial& trial) {
  json object{{"id", trial.id},
              {"arm", trial.arm},
              {"seed", trial.seed},
              {"status", results::to_text(trial.status)}};
  if (!trial.message.empty()) object["message"] = trial.message;
  if (trial.steps) object["steps"] = *trial.steps;
  if (trial.epochs) object["epochs"] = *trial.epochs;
  if (trial.seconds) object["seconds"] = *trial.seconds;
  return object;
}

json to_json(const StudyRecord& study, bool is_driven) {
  json counts = json::object(), trials = json::array();
  for (const Status status : kStatuses)
    counts[std::string(results::to_text(status))] = count(study, status);
  for (const Trial& trial : study.trials) trials.push_back(to_json(trial));
  return {{"study", study.name}, {"question", study.question}, {"driver_running", is_driven},
          {"counts", counts},    {"trials", trials},           {"problems", study.problems}};
}

void print_arms(const StudyRecord& study, std::FILE* out) {
  TextTable table;
  table.add_column("arm");
  for (const Status status : kStatuses) {
    if (count(study, status) > 0)
      table.add_column(std::string(results::to_text(status)), TextTable::Align::right);
  }
  table.add_column(with_unit(study.metric, study.unit), TextTable::Align::right);
  for (const std::string& arm : study.arms) {
    std::vector<std::string> row{arm};
    for (const Status status : kStatuses) {
      if (count(study, status) > 0) row.push_back(fmt::format("{}", count(study, status, &arm)));
    }
    row.push_back(metric_of(study, arm));
    table.add_row(std::move(row));
  }
  table.print(out);
}

void print_trials(const StudyRecord& study, Status status, std::FILE* out) {
  std::size_t shown = 0;
  for (const Trial& trial : study.trials) {
    if (trial.status != status) continue;
    if (++shown > kMostTrials) break;
    const std::string reason = trial.message.substr(0, trial.message.find('\n'));
    const std::string detail = reason.empty() ? progress(trial) : reason;
    fmt::print(out, "{} {}: {}, seed {}{}\n", results::to_text(status), trial.id,
               safe_text(trial.arm), trial.seed, detail.empty() ? "" : ": " + safe_text(detail));
  }
  if (count(study, status) > kMostTrials) {
    fmt::print(out, "... and {} more {}; --json lists all\n", count(study, status) - kMostTrials,
               results::to_text(status));
  }
}

int print_status_of(const Options& options) {
  const auto study = read_study_aloud(options.dir);
  const bool is_driven = journal::has_writer(study.dir / "journal" / "study.log");
  if (options.as_json) {
    print_json(to_json(study, is_driven));
    return 0;
  }
  print_status(study, stdout);
  if (!is_driven && count(study, Status::done) < study.trials.size()) {
    fmt::print(stderr, "not running; `paribus resume {}` goes on\n", options.dir);
  }
  return 0;
}

}  // namespace

void print_status(const StudyRecord& study, std::FILE* out) {
  if (!study.question.empty()) fmt::print(out, "{}\n", bold(safe_text(study.question), out));
  double seconds = 0;
  for (const Trial& trial : study.trials) seconds += trial.seconds.value_or(0);
  fmt::print(out, "{} of {} trials done; {} of training\n\n", count(study, Status::done),
             study.trials.size(), duration(seconds));
  print_arms(study, out);
  const bool has_more =
      count(study, Status::done) + count(study, Status::planned) < study.trials.size();
  if (has_more) fmt::print(out, "\n");
  for (const Status status : {Status::running, Status::stopped, Status::failed, Status::pruned})
    print_trials(study, status, out);
}

void add_status_command(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("status", "how far a study is");
  command->add_option("DIR", options->dir, "a study's directory")->required()->type_name("");
  command->add_flag("--json", options->as_json, "every trial, for programs");
  command->callback([options, &exit_status] {
    exit_status = guarded([&] { return print_status_of(*options); });
  });
}

}  // namespace paribus
