// SPDX-License-Identifier: Apache-2.0
#include "results/table.h"

#include <algorithm>
#include <set>

namespace paribus::results {
namespace {

using nlohmann::json;

/// The narrowest type that holds all values of an axis.
ColumnType axis_type(const StudyRecord& study, const std::string& axis) {
  bool booleans = true, integers = true, numbers = true;
  for (const Trial& trial : study.trials) {
    const auto value = trial.values.find(axis);
    if (value == trial.values.end() || value->second.is_null()) continue;
    booleans = booleans && value->second.is_boolean();
    integers = integers && value->second.is_number_integer();
    numbers = numbers && value->second.is_number();
  }
  return booleans   ? ColumnType::boolean
         : integers ? ColumnType::integer
         : numbers  ? ColumnType::real
                    : ColumnType::text;
}

Cell axis_cell(const Trial& trial, const std::string& axis, ColumnType type) {
  const auto found = trial.values.find(axis);
  if (found == trial.values.end() || found->second.is_null()) return {};
  const json& value = found->second;
  switch (type) {
    case ColumnType::boolean:
      return value.get<bool>();
    case ColumnType::integer:
      return value.get<std::int64_t>();
    case ColumnType::real:
      return value.get<double>();
    case ColumnType::text:
      break;
  }
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

using Metrics = std::map<std::string, double>;

Cell metric_cell(const Metrics& metrics, const std::string& name) {
  const auto value = metrics.find(name);
  return value == metrics.end() ? Cell() : Cell(value->second);
}

std::set<std::string> names_of(const StudyRecord& study, Metrics Trial::*metrics) {
  std::set<std::string> names;
  for (const Trial& trial : study.trials) {
    for (const auto& [name, value] : trial.*metrics) names.insert(name);
  }
  return names;
}

template <class T>
Cell known(const std::optional<T>& value) {
  return value ? Cell(*value) : Cell();
}

/// Columns with what they show.
struct Plan {
  std::vector<Column> columns;
  std::vector<Source> sources;

  void add(std::string name, std::string unit, ColumnType type, Source source) {
    // A swept address can't be a metric by our own parts, but a callback may record any name.
    const auto is_taken = [&] {
      return std::any_of(columns.begin(), columns.end(),
                         [&](const Column& column) { return column.name == name; });
    };
    while (is_taken()) name += "_";
    columns.emplace_back(std::move(name), std::move(unit), type);
    sources.push_back(std::move(source));
  }
};

Plan plan_of(const StudyRecord& study) {
  using enum ColumnType;
  Plan plan;
  plan.add("id", "", text, {Shows::id, ""});
  plan.add("arm", "", text, {Shows::arm, ""});
  plan.add("seed", "", integer, {Shows::seed, ""});
  plan.add("status", "", text, {Shows::status, ""});
  plan.add("message", "", text, {Shows::message, ""});
  for (const std::string& axis : study.axes)
    plan.add(axis, "", axis_type(study, axis), {Shows::axis, axis});
  plan.add("steps", "", integer, {Shows::steps, ""});
  plan.add("epochs", "", real, {Shows::epochs, ""});
  plan.add("seconds", "s", real, {Shows::seconds, ""});
  const auto unit_of = [&](const std::string& metric) {
    const auto unit = study.units.find(metric);
    return unit == study.units.end() ? std::string() : unit->second;
  };
  for (const std::string& name : names_of(study, &Trial::last))
    plan.add(name, unit_of(name), real, {Shows::last, name});
  for (const std::string& name : names_of(study, &Trial::best))
    plan.add("best." + name, unit_of(name), real, {Shows::best, name});
  plan.add("weights_sha256", "", text, {Shows::weights, ""});
  return plan;
}

}  // namespace

const Column* Table::find(std::string_view name) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> all;
  for (const Column& column : columns) all.push_back(column.name);
  return all;
}

Cell cell_of(const Trial& trial, const Source& source, ColumnType type) {
  switch (source.shows) {
    case Shows::id:
      return trial.id;
    case Shows::arm:
      return trial.arm;
    case Shows::seed:
      return trial.seed;
    case Shows::status:
      return std::string(to_text(trial.status));
    case Shows::message:
      return trial.message;
    case Shows::axis:
      return axis_cell(trial, source.key, type);
    case Shows::steps:
      return known(trial.steps);
    case Shows::epochs:
      return known(trial.epochs);
    case Shows::seconds:
      return known(trial.seconds);
    case Shows::last:
      return metric_cell(trial.last, source.key);
    case Shows::best:
      return metric_cell(trial.best, source.key);
    case Shows::weights:
      break;
  }
  return trial.weights_sha256;
}

Table trial_table(const StudyRecord& study, std::vector<Source>* sources) {
  Plan plan = plan_of(study);
  Table table;
  table.rows = study.trials.size();
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    Column& column = plan.columns[i];
    for (const Trial& trial : study.trials)
      column.add(cell_of(trial, plan.sources[i], column.type));
  }
  table.columns = std::move(plan.columns);
  if (sources) *sources = std::move(plan.sources);
  return table;
}

}  // namespace paribus::results
