// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "results/study_record.h"

namespace paribus::results {

/// One value; `monostate` is "not known".
using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

enum class ColumnType : std::uint8_t { boolean, integer, real, text };

/// All cells are of the column's type, or unknown.
struct Column {
  std::string name, unit;
  ColumnType type = ColumnType::text;
  std::vector<Cell> cells;
};

struct Table {
  std::vector<Column> columns;
  std::size_t rows = 0;

  [[nodiscard]] const Column* find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;
};

/// One row per trial of the plan: id, arm, seed, status, message, swept parameters, steps, epochs,
/// seconds, metrics at their last value, then as "best.<metric>" at their best. What results.h5,
/// `paribus results` and `--where` show.
Table trial_table(const StudyRecord& study);

/// As people and CSV get it: full precision, "" where unknown.
std::string to_text(const Cell& cell);

}  // namespace paribus::results
