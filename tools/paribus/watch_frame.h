// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "watch_machine.h"
#include "watch_study.h"

namespace paribus {

/// What a person looks at.
struct WatchState {
  enum class Page { trials, log, help };

  Page page = Page::trials;
  std::string selected;  // `key_of` a trial; "": the first
  std::string series;    // whose curve is shown; "": the study's metric, or what there is
  std::string problem;   // why the last look failed; "" if it didn't
  std::string stopping;  // id of a trial: whether to stop it is asked
  std::string note;      // what came of it
};

struct FrameStyle {
  int columns = 100;
  int rows = 0;  // 0: as many as there is something to show
  bool ascii = false, colour = false;
};

/// Trials that have begun: running ones, failed, stopped and pruned ones, those that are done.
std::vector<std::size_t> listed_rows(const WatchedStudy& study);

/// Of a trial: two arms may share one, and each has its row.
std::string key_of(const results::Trial& trial);

/// Where in `listed_rows` the selected trial is; 0 where it isn't listed.
std::size_t selected_place(const std::vector<std::size_t>& listed, const WatchedStudy& study,
                           const WatchState& state);

/// The series that can be drawn of a followed trial: the study's metric first.
std::vector<std::string> series_of(const WatchedStudy& study, std::size_t row);

/// One frame as lines that end within `columns`; nothing that a study holds can move the cursor.
std::vector<std::string> frame_of(const WatchedStudy& study, const MachineReading& machine,
                                  const WatchState& state, const FrameStyle& style);

/// The same as JSON. Values that aren't finite are the texts "NaN", "Infinity" and "-Infinity".
nlohmann::json json_frame_of(const WatchedStudy& study, const MachineReading& machine,
                             const WatchState& state);

}  // namespace paribus
