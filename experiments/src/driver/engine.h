// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "driver/board.h"
#include "driver/files.h"
#include "driver/worker.h"
#include "registry/catalog.h"
#include "study/study.h"

namespace paribus::driver {

/// A part by kind and name.
using PartName = std::pair<std::string, std::string>;

/// The worker, started when it is first needed, and what it has loaded.
class Engine {
 public:
  /// Starts the worker and asks it what the machine is, once.
  const nlohmann::json& machine();
  Worker& worker();
  ProgressBoard& board() { return board_; }

  /// A new worker in the place of one that died, with what that one had loaded and opened.
  void restart();
  /// How many workers there have been: what one held for us is gone with it.
  [[nodiscard]] int worker_number() const { return worker_number_; }

  /// Has the plugins that hold these parts loaded, each once.
  void load(const registry::Catalog& catalog, const std::set<PartName>& parts);
  /// Has a data set opened in the worker, once, to be shared by all trials.
  void open(const nlohmann::json& spec, const FilePaths& files);
  /// Asks the search part of a sweep, in the worker.
  Proposer proposer(const registry::Catalog& catalog);

  /// Of a library that the worker runs with, e.g. "libparibus.so"; "" if it has none of that name.
  std::string sha256_of_library(const std::string& name);

 private:
  void make(std::pair<std::string, nlohmann::json> request);

  ProgressBoard board_;
  std::unique_ptr<Worker> worker_;
  nlohmann::json machine_;
  std::set<std::filesystem::path> loaded_;
  std::set<std::string> opened_;
  std::vector<std::pair<std::string, nlohmann::json>> done_;  // requests to be made again
  int worker_number_ = 1;
};

/// Axes and points as messages have them (docs/internals.md).
nlohmann::json to_json(const std::vector<SearchAxis>& axes);
SearchPoint point_from(const nlohmann::json& choices);

/// Every part that a trial is made of, slots included.
std::set<PartName> parts_of(const TrialSpec& spec);

}  // namespace paribus::driver
