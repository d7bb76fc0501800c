// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "watch_frame.h"

namespace paribus {
namespace {

using nlohmann::json;
using results::Status;

/// JSON has no NaN and no infinity, and this frame has to tell them apart.
json exact(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

json last_of(const WatchedTrial& trial, const std::string& series) {
  const WatchedSeries* found = trial.find(series);
  return found ? exact(*found->last) : json();
}

json known(double value) { return value > 0 ? json(value) : json(); }

json trial_json(const WatchedStudy& study, std::size_t row) {
  const results::Trial& trial = study.record().trials[row];
  json object = {{"id", trial.id},
                 {"arm", trial.arm},
                 {"seed", trial.seed},
                 {"status", results::to_text(trial.status)}};
  if (!trial.message.empty()) object["message"] = trial.message;
  const WatchedTrial* one = trial.status == Status::running ? study.followed(row) : nullptr;
  if (one) {
    const double steps = study.steps_of(row), rate = one->rate();
    const auto step = static_cast<double>(one->step());
    object["step"] = one->step();
    object["steps"] = known(steps);
    object["loss"] = last_of(*one, "train.batch_loss");
    object["metric"] = last_of(*one, study.record().metric);
    object["steps_per_second"] = known(rate);
    object["seconds_left"] =
        rate > 0 && steps > 0 ? json(std::max(steps - step, 0.0) / rate) : json();
  } else {
    const auto& values = study.record().at == "best" ? trial.best : trial.last;
    const auto metric = values.find(study.record().metric);
    object["step"] = trial.steps ? json(*trial.steps) : json();
    object["metric"] = metric == values.end() ? json() : exact(metric->second);
    object["seconds"] = trial.seconds ? exact(*trial.seconds) : json();
  }
  return object;
}

/// Of the series that a frame shows.
json curve_json(const WatchedStudy& study, const WatchState& state, std::size_t row) {
  const std::vector<std::string> names = series_of(study, row);
  if (names.empty()) return nullptr;
  const bool is_there = std::find(names.begin(), names.end(), state.series) != names.end();
  const WatchedSeries& series = *study.followed(row)->find(is_there ? state.series : names.front());
  json buckets = json::array();
  for (const report::Bucket& one : series.curve.buckets)
    buckets.push_back({{"step", one.last_step},
                       {"mean", exact(one.mean())},
                       {"least", one.least},
                       {"greatest", one.greatest}});
  return {{"trial", study.record().trials[row].id},
          {"series", series.name},
          {"unit", series.unit},
          {"points", series.curve.points},
          {"not_finite", series.curve.not_finite},
          {"buckets", buckets}};
}

}  // namespace

json json_frame_of(const WatchedStudy& study, const MachineReading& machine,
                   const WatchState& state) {
  const results::StudyRecord& record = study.record();
  const auto or_null = [](const std::optional<double>& value) {
    return value ? json(*value) : json();
  };
  json counts = json::object(), trials = json::array(), trackers = json::array();
  for (const Status one : results::kStatuses)
    counts[std::string(results::to_text(one))] = study.count(one);
  const std::vector<std::size_t> listed = listed_rows(study);
  for (const std::size_t row : listed) trials.push_back(trial_json(study, row));
  for (const uplink::Status& one : study.trackers()) trackers.push_back(uplink::to_json(one));
  return {{"study", record.name},
          {"question", record.question},
          {"metric", record.metric},
          {"driver_running", study.is_driven()},
          {"counts", counts},
          {"fraction", study.fraction()},
          {"seconds_left", known(study.seconds_left())},
          {"trials", trials},
          {"curve", listed.empty()
                        ? json()
                        : curve_json(study, state, listed[selected_place(listed, study, state)])},
          {"trackers", trackers},
          {"machine",
           {{"cpu", or_null(machine.busy)},
            {"cores", machine.cores},
            {"memory_used", or_null(machine.memory_used)},
            {"memory", or_null(machine.memory)}}},
          {"problems", study.problems()}};
}

}  // namespace paribus
