// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "driver/progress.h"
#include "paribus/dataset.h"
#include "registry/loader/loader.h"
#include "session.h"
#include "watch.h"

namespace paribus::worker {

/// The process that trials fork from: LibTorch and plugins loaded, data sets open, never a thread
/// started, never a GPU touched. Each method answers one request of docs/internals.md.
class Zygote {
 public:
  explicit Zygote(driver::ProgressSlot* slots) : slots_(slots) {}

  nlohmann::json answer(const nlohmann::json& request);
  /// Reaps trials that have ended until there is an exit event to tell; null: there is none.
  nlohmann::json ended();
  /// Looks after the trials; between two loops of main.
  Watch& watch() { return watch_; }
  void kill_all();

  /// In a fresh process: runs the one trial of `order`. Returns its exit status.
  int run_fresh(const nlohmann::json& order);

 private:
  int run(const nlohmann::json& request, const Dataset& data);
  void load_plugins(const nlohmann::json& plugins);
  nlohmann::json hello() const;
  nlohmann::json confine(const nlohmann::json& request);
  nlohmann::json load(const nlohmann::json& request);
  nlohmann::json inspect(const nlohmann::json& request);
  nlohmann::json search(const nlohmann::json& request);
  nlohmann::json open_search(const nlohmann::json& request);
  nlohmann::json next_of_search(const nlohmann::json& request);
  nlohmann::json close_search(const nlohmann::json& request);
  nlohmann::json open(const nlohmann::json& request);
  nlohmann::json start(const nlohmann::json& request);
  nlohmann::json stop(const nlohmann::json& request);
  nlohmann::json find_rate(const nlohmann::json& request);
  /// The open data set that the request's spec names, opened now if it isn't.
  const Dataset& dataset(const nlohmann::json& request);

  driver::ProgressSlot* slots_;
  registry::Loader loader_;
  std::map<std::string, std::unique_ptr<Instance>> datasets_;  // by spec
  nlohmann::json plugins_ = nlohmann::json::array();           // loaded so far
  Watch watch_;
  bool has_strays_ = false;  // perhaps
  bool confined_ = false;
  std::map<int, std::unique_ptr<SearchSession>> sessions_;
  int last_session_ = 0;
};

}  // namespace paribus::worker
