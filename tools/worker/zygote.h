// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "driver/progress.h"
#include "paribus/dataset.h"
#include "registry/loader/loader.h"
#include "session.h"

namespace paribus::worker {

/// The process that trials fork from: LibTorch and plugins loaded, data sets open, never a thread
/// started, never a GPU touched. Each method answers one request of docs/internals.md.
class Zygote {
 public:
  explicit Zygote(driver::ProgressSlot* slots) : slots_(slots) {}

  nlohmann::json answer(const nlohmann::json& request);
  /// Reaps a trial that has ended, if there is one: its exit event, or null.
  nlohmann::json ended();
  void kill_all();

 private:
  nlohmann::json hello() const;
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
  std::map<pid_t, std::string> trials_;
  std::map<int, std::unique_ptr<SearchSession>> sessions_;
  int last_session_ = 0;
};

}  // namespace paribus::worker
