// SPDX-License-Identifier: Apache-2.0
#include "results/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace paribus::results {
namespace {

using nlohmann::json;

void add_column(Table& table, std::string name, std::string unit, ColumnType type,
                const StudyRecord& study, const std::function<Cell(const Trial&)>& cell_of) {
  Column column{std::move(name), std::move(unit), type, {}};
  // A swept address can't be a metric by our own parts, but a callback may record any name.
  while (table.find(column.name)) column.name += "_";
  for (const Trial& trial : study.trials) column.cells.push_back(cell_of(trial));
  table.columns.push_back(std::move(column));
}

template <class T>
Cell known(const std::optional<T>& value) {
  return value ? Cell(*value) : Cell();
}

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

using Metrics = std::map<std::string, double> Trial::*;

void add_metrics(Table& table, const StudyRecord& study, Metrics metrics,
                 const std::string& prefix) {
  std::set<std::string> names;
  for (const Trial& trial : study.trials) {
    for (const auto& [name, value] : trial.*metrics) names.insert(name);
  }
  for (const std::string& name : names) {
    const auto unit = study.units.find(name);
    add_column(table, prefix + name, unit == study.units.end() ? "" : unit->second,
               ColumnType::real, study, [&](const Trial& trial) {
                 const auto value = (trial.*metrics).find(name);
                 return value == (trial.*metrics).end() ? Cell() : Cell(value->second);
               });
  }
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

Table trial_table(const StudyRecord& study) {
  Table table;
  table.rows = study.trials.size();
  add_column(table, "id", "", ColumnType::text, study, [](const Trial& t) { return t.id; });
  add_column(table, "arm", "", ColumnType::text, study, [](const Trial& t) { return t.arm; });
  add_column(table, "seed", "", ColumnType::integer, study, [](const Trial& t) { return t.seed; });
  add_column(table, "status", "", ColumnType::text, study,
             [](const Trial& t) { return std::string(to_text(t.status)); });
  add_column(table, "message", "", ColumnType::text, study,
             [](const Trial& t) { return t.message; });
  for (const std::string& axis : study.axes) {
    const ColumnType type = axis_type(study, axis);
    add_column(table, axis, "", type, study,
               [&](const Trial& t) { return axis_cell(t, axis, type); });
  }
  add_column(table, "steps", "", ColumnType::integer, study,
             [](const Trial& t) { return known(t.steps); });
  add_column(table, "epochs", "", ColumnType::real, study,
             [](const Trial& t) { return known(t.epochs); });
  add_column(table, "seconds", "s", ColumnType::real, study,
             [](const Trial& t) { return known(t.seconds); });
  add_metrics(table, study, &Trial::last, "");
  add_metrics(table, study, &Trial::best, "best.");
  add_column(table, "weights_sha256", "", ColumnType::text, study,
             [](const Trial& t) { return t.weights_sha256; });
  return table;
}

std::string to_text(const Cell& cell) {
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return "";
}

}  // namespace paribus::results
