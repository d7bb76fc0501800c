// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "driver/board.h"
#include "driver/files.h"
#include "driver/lock.h"
#include "driver/worker.h"
#include "registry/catalog.h"
#include "study/demands.h"
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

  /// What the study asks of code that it loads; to be set before anything is.
  void demand(Demands demands) { demands_ = std::move(demands); }
  [[nodiscard]] bool confines() const { return demands_.confine; }
  /// Starts the worker anew where trials are to be confined, with these folders to write to.
  /// Without a call of it they have none.
  void confine_to(std::vector<std::filesystem::path> folders);

  /// From now on no plugin is loaded but with the sum that this lock pins.
  void pin(Lock lock) { lock_ = std::move(lock); }

  /// Has the plugins that hold these parts loaded, each once. Throws Refused with all that may not
  /// be loaded; then none is.
  void load(const registry::Catalog& catalog, const std::set<PartName>& parts);
  /// What has been loaded: file -> sha256 of the bytes that the worker mapped.
  [[nodiscard]] const std::map<std::string, std::string>& plugins() const { return plugins_; }
  /// Where a part comes from that isn't the worker's to load, held to the same demands.
  struct Vouched {
    std::filesystem::path plugin;
    std::string symbol, sha256;
    bool sealed = false;
  };
  /// Throws Refused if it may not be loaded.
  [[nodiscard]] Vouched vouch(const registry::Catalog& catalog, const PartName& part) const;
  /// Has a data set opened in the worker, once, to be shared by all trials.
  void open(const nlohmann::json& spec, const FilePaths& files);
  /// Asks the search part of a sweep, in the worker.
  Proposer proposer(const registry::Catalog& catalog);

  /// Of a library that the worker runs with, e.g. "libparibus.so"; "" if it has none of that name.
  std::string sha256_of_library(const std::string& name);

 private:
  void start();
  std::string admit(const std::filesystem::path& file, const std::vector<std::string>& parts,
                    std::vector<Problem>& problems) const;
  std::string admit_source(const registry::PartSchema& part, const std::vector<std::string>& parts,
                           std::vector<Problem>& problems) const;
  void check_library();
  void make(std::pair<std::string, nlohmann::json> request);

  ProgressBoard board_;
  std::unique_ptr<Worker> worker_;
  nlohmann::json machine_;
  Demands demands_;
  std::vector<std::filesystem::path> writable_;
  std::optional<Lock> lock_;
  std::map<std::string, std::string> plugins_;
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
