// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "results/table.h"

namespace paribus::results {

/// A study as its readers' tables show it: all of it but configurations and series. That of a
/// hundred thousand trials is read in milliseconds where a cache of it can be believed.
struct StudyView : StudyHead {
  Table trials;
  std::vector<Source> sources;  // of the columns of `trials`
  /// Of each trial what no table shows.
  Column planned_epochs{"planned_epochs", "", ColumnType::real};
  Column steps_per_epoch{"steps_per_epoch", "", ColumnType::real};
  Column learned{"learned", "", ColumnType::integer};  // see Trial::learned
  Column problem{"problem", "", ColumnType::text};     // of its journal

  /// What is wrong with journals, one sentence each.
  [[nodiscard]] std::vector<std::string> all_problems() const;
  [[nodiscard]] Status status(std::size_t row) const;
};

StudyView view_of(const StudyRecord& study);

/// What `view_of(read_study(dir))` gives. Takes the cache (docs/results.md) where it holds what the
/// journals say, else reads them all, and writes the cache where that was much work and the
/// directory lets it. Throws Error as `read_study`.
StudyView read_view(const std::filesystem::path& dir);

/// Brings the cache up to the journals, for a driver now and then and at the end; does nothing for
/// a small study. A cache that can't be written is no error: nothing depends on it.
void refresh_cache(const std::filesystem::path& dir);

}  // namespace paribus::results
