// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "results/study_record.h"
#include "stats/across.h"

/// A study's results as one page that needs nothing else: docs/report.md. All numbers are made
/// here, by what `compare` and `results` show them with; the page only draws. The same results give
/// the same bytes.
namespace paribus::report {

/// What the page shows. Reads the journals of those trials whose curves are shown.
nlohmann::json data_of(const results::StudyRecord& study);

/// The same of several studies, each arm against its namesake in the first; `studies` are those
/// that were compared.
nlohmann::json data_of(const stats::Across& across,
                       const std::vector<results::StudyRecord>& studies);

/// Its parts, for a page that grows: `data_of` is `results_of` with "trials", which is `trials_of`,
/// "curves", which is `curves_of` (curves.h), and "seen", which is `seen_of` (seen.h).
nlohmann::json results_of(const results::StudyRecord& study);
/// Column by column; a text that occurs again and again once.
nlohmann::json trials_of(const results::StudyRecord& study);

/// The page. A live one has a script more, which asks its own server for what is new
/// (docs/watch.md), and data["live"] for it.
enum class Kind { file, live };
std::string page_of(const nlohmann::json& data, Kind kind = Kind::file);

/// JSON as it may stand in a script element: without '<' nothing in it can end that element.
std::string script_json(const nlohmann::json& data);

/// Writes `text` as `file` whole or not at all. Throws NoSpace where the disk is full, or, for a
/// file in the study's directory, where `[study] disk` leaves too little; else Error.
void write(const std::filesystem::path& file, const std::string& text,
           const results::StudyRecord& study);

/// Where `run` puts it.
std::filesystem::path file_of(const results::StudyRecord& study);

/// The study's main table, of effects, arms or points, ready for a paper; `format`: "latex" or
/// "markdown".
std::string table_of(const nlohmann::json& data, const std::string& format);

}  // namespace paribus::report
