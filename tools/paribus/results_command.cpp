// SPDX-License-Identifier: Apache-2.0
#include "results_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "results/filter.h"
#include "results/table.h"
#include "study_reader.h"
#include "table.h"

namespace paribus {
namespace {

using nlohmann::json;
using results::Cell;
using results::Column;
using results::ColumnType;
using Rows = std::vector<std::size_t>;

struct Options {
  std::string dir, where, format = "table";
  bool as_json = false;
};

void print_as_json(const results::Table& table, const Rows& rows) {
  json columns = json::array(), all = json::array();
  for (const Column& column : table.columns)
    columns.push_back({{"name", column.name}, {"unit", column.unit}});
  for (const std::size_t row : rows) {
    json object = json::object();
    for (const Column& column : table.columns) object[column.name] = json_of(column.cell(row));
    all.push_back(std::move(object));
  }
  print_json({{"columns", columns}, {"rows", all}});
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted(1, '"');
  for (const char c : text) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

void print_as_csv(const results::Table& table, const Rows& rows) {
  std::vector<std::string> fields;
  for (const Column& column : table.columns) fields.push_back(csv_field(column.name));
  fmt::print("{}\n", fmt::join(fields, ","));
  for (const std::size_t row : rows) {
    fields.clear();
    for (const Column& column : table.columns)
      fields.push_back(csv_field(results::to_text(column.cell(row))));
    fmt::print("{}\n", fmt::join(fields, ","));
  }
}

/// Of a checksum, as much as tells it from others.
std::string shown(const Cell& cell, const std::string& column) {
  const std::size_t most = column.ends_with("_sha256") ? 15 : 60;
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{:.6g}", *number);
  if (std::holds_alternative<std::monostate>(cell)) return "-";
  std::string text = results::to_text(cell);
  text = text.substr(0, text.find('\n'));
  return text.size() > most ? text.substr(0, most - 3) + "..." : text;
}

bool is_blank(const Cell& cell) {
  const auto* text = std::get_if<std::string>(&cell);
  return std::holds_alternative<std::monostate>(cell) || (text && text->empty());
}

void print_as_table(const results::Table& table, const Rows& rows) {
  std::vector<const Column*> columns;
  TextTable shown_table;
  for (const Column& column : table.columns) {
    // A column in which no row has anything says nothing.
    if (std::all_of(rows.begin(), rows.end(),
                    [&](std::size_t row) { return is_blank(column.cell(row)); }))
      continue;
    const bool is_text = column.type == ColumnType::text;
    columns.push_back(&column);
    shown_table.add_column(with_unit(column.name, column.unit),
                           is_text ? TextTable::Align::left : TextTable::Align::right);
  }
  for (const std::size_t row : rows) {
    std::vector<std::string> cells;
    for (const Column* column : columns) cells.push_back(shown(column->cell(row), column->name));
    shown_table.add_row(std::move(cells));
  }
  shown_table.print(stdout);
}

int print_results(const Options& options) {
  const results::StudyView study = read_view_aloud(options.dir);
  const results::Table& table = study.trials;
  Rows rows(table.rows);
  std::iota(rows.begin(), rows.end(), 0);
  if (!options.where.empty()) rows = results::matching_rows(table, options.where);
  if (options.as_json || options.format == "json") {
    print_as_json(table, rows);
  } else if (options.format == "csv") {
    print_as_csv(table, rows);
  } else if (rows.empty()) {
    fmt::print(stderr, "no trial{}\n", options.where.empty() ? "" : " fits --where");
  } else {
    print_as_table(table, rows);
  }
  return 0;
}

}  // namespace

void add_results_command(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("results", "one row per trial: parameters, status, metrics");
  command->add_option("DIR", options->dir, "a study's directory")->required()->type_name("");
  command->add_option("--where", options->where, "such as: arm = sgd and valid.accuracy > 0.9")
      ->type_name("CONDITION");
  command->add_option("--format", options->format, "table, csv or json")
      ->check(CLI::IsMember({"table", "csv", "json"}));
  command->add_flag("--json", options->as_json, "the same as --format json");
  command->callback(
      [options, &exit_status] { exit_status = guarded([&] { return print_results(*options); }); });
}

}  // namespace paribus
