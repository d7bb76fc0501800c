// SPDX-License-Identifier: Apache-2.0
#include "status_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>

#include "journal/journal.h"
#include "stats/paired.h"
#include "study_reader.h"
#include "sync_command.h"
#include "table.h"

namespace paribus {
namespace {

using nlohmann::json;
using results::Column;
using results::kStatuses;
using results::Status;
using results::StudyView;

constexpr std::size_t kMostTrials = 20;  // shown in words
constexpr std::size_t kMostArms = 20;    // that a terminal bears

struct Options {
  std::string dir;
  bool as_json = false;
};

/// How many trials there are of each status.
struct Counts {
  std::array<std::size_t, std::size(kStatuses)> of{};

  std::size_t& operator[](Status status) { return of[static_cast<std::size_t>(status)]; }
  std::size_t operator[](Status status) const { return of[static_cast<std::size_t>(status)]; }
};

/// One arm, or one point of a sweep.
struct Arm {
  Counts counts;
  std::vector<double> values;  // of the metric, of trials that are done

  [[nodiscard]] double mean() const {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
};

/// A study's trials, counted.
struct Counted {
  Counts counts;
  std::vector<Arm> arms;         // by the arm column's codes
  std::vector<Status> statuses;  // by row
  double seconds = 0;
};

const Column& column_of(const StudyView& study, results::Shows shows) {
  const auto found = std::find_if(study.sources.begin(), study.sources.end(),
                                  [&](const auto& source) { return source.shows == shows; });
  return study.trials.columns[static_cast<std::size_t>(found - study.sources.begin())];
}

/// Null where no trial has it.
const Column* metric_of(const StudyView& study) {
  const results::Source wanted{study.at == "best" ? results::Shows::best : results::Shows::last,
                               study.metric};
  const auto found = std::find(study.sources.begin(), study.sources.end(), wanted);
  if (found == study.sources.end()) return nullptr;
  return &study.trials.columns[static_cast<std::size_t>(found - study.sources.begin())];
}

Counted counted(const StudyView& study) {
  Counted all;
  const Column& arm = column_of(study, results::Shows::arm);
  const Column& status = column_of(study, results::Shows::status);
  const Column& seconds = column_of(study, results::Shows::seconds);
  const Column* metric = metric_of(study);
  std::vector<Status> meanings(status.texts(), Status::planned);
  for (std::uint32_t code = 0; code < meanings.size(); ++code) {
    for (const Status one : kStatuses) {
      if (results::to_text(one) == status.text(code)) meanings[code] = one;
    }
  }
  all.arms.resize(arm.texts());
  all.statuses.resize(study.trials.rows);
  for (std::size_t row = 0; row < study.trials.rows; ++row) {
    const Status now = all.statuses[row] = meanings[status.codes[row]];
    Arm& own = all.arms[arm.codes[row]];
    ++all.counts[now];
    ++own.counts[now];
    if (!Column::is_unknown(seconds.reals[row])) all.seconds += seconds.reals[row];
    if (metric && now == Status::done && std::isfinite(metric->reals[row]))
      own.values.push_back(metric->reals[row]);
  }
  return all;
}

/// The metric over an arm's seeds: mean ± half-width of its interval.
std::string shown_metric(const StudyView& study, const Arm& arm) {
  if (arm.values.empty()) return "-";
  const auto sample = stats::paired(arm.values, study.alpha);
  const double half = (sample.high - sample.low) / 2;
  return std::isnan(half) ? fmt::format("{:.5g}", sample.mean)
                          : fmt::format("{:.5g} ± {:.2g}", sample.mean, half);
}

std::string progress(const StudyView& study, std::size_t row) {
  std::string text;
  const double epochs = column_of(study, results::Shows::epochs).reals[row];
  const std::int64_t steps = column_of(study, results::Shows::steps).integers[row];
  if (!Column::is_unknown(epochs)) {
    text = fmt::format("epoch {:.2f}", epochs);
    const double planned = study.planned_epochs.reals[row];
    if (!Column::is_unknown(planned)) text += fmt::format(" of {:g}", planned);
  }
  if (steps != Column::kUnknownInteger)
    text += fmt::format("{}step {}", text.empty() ? "" : ", ", steps);
  return text;
}

json to_json(const StudyView& study, bool is_driven) {
  using results::Shows;
  json counts = json::object(), trials = json::array();
  const Counted all = counted(study);
  for (const Status status : kStatuses)
    counts[std::string(results::to_text(status))] = all.counts[status];
  const std::pair<const char*, Shows> always[] = {
      {"id", Shows::id}, {"arm", Shows::arm}, {"seed", Shows::seed}, {"status", Shows::status}};
  const std::pair<const char*, Shows> if_known[] = {{"message", Shows::message},
                                                    {"steps", Shows::steps},
                                                    {"epochs", Shows::epochs},
                                                    {"seconds", Shows::seconds}};
  for (std::size_t row = 0; row < study.trials.rows; ++row) {
    json object;
    for (const auto& [name, shows] : always)
      object[name] = json_of(column_of(study, shows).cell(row));
    for (const auto& [name, shows] : if_known) {
      json value = json_of(column_of(study, shows).cell(row));
      if (!value.is_null() && value != "") object[name] = std::move(value);
    }
    const auto stack = results::stack_path(study.dir, column_of(study, Shows::id).text_at(row));
    if (all.statuses[row] == Status::failed && std::filesystem::exists(stack))
      object["stack"] = stack.string();
    trials.push_back(std::move(object));
  }
  return {{"study", study.name}, {"question", study.question}, {"driver_running", is_driven},
          {"counts", counts},    {"trials", trials},           {"problems", study.all_problems()}};
}

/// Those that a table shows: all, or of many those that did best, the best first.
std::vector<std::size_t> shown_arms(const StudyView& study, const Counted& all) {
  std::vector<std::size_t> arms(all.arms.size());
  std::iota(arms.begin(), arms.end(), 0);
  if (arms.size() <= kMostArms) return arms;
  if (!study.goal.empty()) {
    const double sign = study.goal == "minimize" ? 1 : -1;
    std::vector<double> ranks;
    for (const Arm& arm : all.arms)
      ranks.push_back(arm.values.empty() ? INFINITY : sign * arm.mean());
    std::partial_sort(arms.begin(), arms.begin() + kMostArms, arms.end(),
                      [&](std::size_t a, std::size_t b) {
                        return std::pair(ranks[a], a) < std::pair(ranks[b], b);
                      });
  }
  arms.resize(kMostArms);
  return arms;
}

void print_arms(const StudyView& study, const Counted& all, std::FILE* out) {
  TextTable table;
  table.add_column("arm");
  for (const Status status : kStatuses) {
    if (all.counts[status] > 0)
      table.add_column(std::string(results::to_text(status)), TextTable::Align::right);
  }
  table.add_column(with_unit(study.metric, study.unit), TextTable::Align::right);
  const Column& names = column_of(study, results::Shows::arm);
  const std::vector<std::size_t> arms = shown_arms(study, all);
  for (const std::size_t number : arms) {
    const Arm& arm = all.arms[number];
    std::vector<std::string> row{std::string(names.text(static_cast<std::uint32_t>(number)))};
    for (const Status status : kStatuses) {
      if (all.counts[status] > 0) row.push_back(fmt::format("{}", arm.counts[status]));
    }
    row.push_back(shown_metric(study, arm));
    table.add_row(std::move(row));
  }
  table.print(out);
  if (arms.size() == all.arms.size()) return;
  fmt::print(out, "... {} {} of {}; `paribus results` shows every trial\n",
             study.goal.empty() ? "the first" : "the best", arms.size(), all.arms.size());
}

void print_trials(const StudyView& study, const Counted& all, Status status, std::FILE* out) {
  using results::Shows;
  std::size_t shown = 0;
  for (std::size_t row = 0; row < all.statuses.size() && shown < kMostTrials; ++row) {
    if (all.statuses[row] != status) continue;
    ++shown;
    const std::string_view message = column_of(study, Shows::message).text_at(row);
    const std::string reason(message.substr(0, message.find('\n')));
    const std::string detail = reason.empty() ? progress(study, row) : reason;
    fmt::print(out, "{} {}: {}, seed {}{}\n", results::to_text(status),
               column_of(study, Shows::id).text_at(row),
               safe_text(column_of(study, Shows::arm).text_at(row)),
               column_of(study, Shows::seed).integers[row],
               detail.empty() ? "" : ": " + safe_text(detail));
    const auto stack = results::stack_path(study.dir, column_of(study, Shows::id).text_at(row));
    if (std::filesystem::exists(stack)) fmt::print(out, "  its stack is in {}\n", stack.string());
  }
  if (all.counts[status] > shown) {
    fmt::print(out, "... and {} more {}; --json lists all\n", all.counts[status] - shown,
               results::to_text(status));
  }
}

int print_status_of(const Options& options) {
  const StudyView study = read_view_aloud(options.dir);
  const bool is_driven = journal::has_writer(study.dir / "journal" / "study.log");
  if (options.as_json) {
    json all = to_json(study, is_driven);
    all["trackers"] = json::array();
    for (const uplink::Status& one : uplink::statuses(study.dir))
      all["trackers"].push_back(to_json(one));
    print_json(all);
    return 0;
  }
  const std::size_t over = print_status(study, stdout);
  print_trackers(uplink::statuses(study.dir), stdout);
  if (!is_driven && over < study.trials.rows) {
    fmt::print(stderr, "not running; `paribus resume {}` goes on\n", options.dir);
  }
  return 0;
}

}  // namespace

std::size_t print_status(const StudyView& study, std::FILE* out) {
  if (!study.question.empty()) fmt::print(out, "{}\n", bold(safe_text(study.question), out));
  const Counted all = counted(study);
  fmt::print(out, "{} of {} trials done; {} of training\n\n", all.counts[Status::done],
             study.trials.rows, duration(all.seconds));
  print_arms(study, all, out);
  if (all.counts[Status::done] + all.counts[Status::planned] < study.trials.rows)
    fmt::print(out, "\n");
  for (const Status status : {Status::running, Status::stopped, Status::failed, Status::pruned})
    print_trials(study, all, status, out);
  return all.counts[Status::done] + all.counts[Status::pruned];
}

void print_failures(const StudyView& study, std::FILE* out) {
  print_trials(study, counted(study), Status::failed, out);
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
