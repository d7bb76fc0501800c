// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "results/column.h"
#include "results/study_record.h"

namespace paribus::results {

struct Table {
  std::vector<Column> columns;
  std::size_t rows = 0;
  std::shared_ptr<const void> memory;  // what columns may stand on

  [[nodiscard]] const Column* find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;
};

/// What a column of the trials' table shows.
enum class Shows : std::uint8_t {
  id,
  arm,
  seed,
  status,
  message,
  axis,
  steps,
  epochs,
  seconds,
  last,
  best,
  weights
};

/// Which of them, for an axis or a metric.
struct Source {
  Shows shows;
  std::string key;

  bool operator==(const Source&) const = default;
};

/// One row per trial of the plan: id, arm, seed, status, message, swept parameters, steps, epochs,
/// seconds, metrics at their last value, then as "best.<metric>" at their best. What results.h5,
/// `paribus results` and `--where` show. `sources`, if given, gets one for each column.
Table trial_table(const StudyRecord& study, std::vector<Source>* sources = nullptr);

/// The cell of a trial. `type`: that of its column.
Cell cell_of(const Trial& trial, const Source& source, ColumnType type);

}  // namespace paribus::results
