// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "driver/engine.h"
#include "driver/observer.h"
#include "driver/sharing.h"
#include "driver/trial.h"
#include "study/study.h"
#include "uplink/request.h"

namespace paribus::driver {

/// A study of which all that can be known before the first step is known to be right.
struct CheckedStudy {
  registry::Catalog catalog;
  Study study;
  std::vector<Trial> trials;                   // in the order of the study's plan
  std::vector<Shared> shared;                  // which of them begin as others do
  std::map<std::string, std::string> plugins;  // file -> sha256, of those loaded
  std::string libparibus;                      // sha256
  std::vector<uplink::TrackerRequest> trackers;
  std::map<std::string, nlohmann::json> facts;  // by inspection_key, of what has been built once
};

/// Reads and expands a study, without the worker unless it has a search. Throws StudyError.
CheckedStudy read_study(const std::filesystem::path& path,
                        const std::vector<std::string>& overrides, Engine& engine);

/// Its trackers, and where they come from. Throws StudyError where one may not be loaded.
std::vector<uplink::TrackerRequest> trackers_of(const CheckedStudy& checked, const Engine& engine);

/// And finds its files, loads its plugins and has each distinct structure built once. Throws
/// StudyError with every problem at its place. Writes nothing but what is fetched into the user's
/// cache.
CheckedStudy check_study(const std::filesystem::path& path,
                         const std::vector<std::string>& overrides, Engine& engine,
                         Observer& observer);

/// Which of some trials of the study begin as others of them do; none if the study wants none to.
std::vector<Shared> shared_of(const CheckedStudy& checked, const std::vector<Trial>& trials,
                              Engine& engine);

/// The trials of points or seeds that a study turned out to need as it ran, checked as those of the
/// study were. Throws StudyError.
std::vector<Trial> check_more(CheckedStudy& checked, const std::vector<PlannedTrial>& planned,
                              Engine& engine, Observer& observer);

}  // namespace paribus::driver
