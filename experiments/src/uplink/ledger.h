// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "results/study_record.h"
#include "uplink/system_log.h"

namespace paribus::uplink {

/// What the driver's log says of a trial, the last word.
struct Happening {
  std::string trial;
  bool ended = false;     // its process has; otherwise it began
  std::string message{};  // why, where it failed without a word of its own
  bool has_end = false;   // its journal says how it ended, as the driver saw
};

/// The driver's log, read on as it grows. Safe to use from several threads.
class Ledger {
 public:
  /// Reads what there is, and takes up every trial that has a journal. Throws Error if `dir` isn't
  /// a study's directory.
  explicit Ledger(std::filesystem::path dir);

  /// Reads on.
  void poll();

  /// What happened since `seen`, which moves on.
  [[nodiscard]] std::vector<Happening> since(std::size_t& seen) const;
  /// Null where no plan has it.
  [[nodiscard]] std::shared_ptr<const results::Trial> trial(const std::string& id) const;
  [[nodiscard]] results::StudyHead head() const;
  [[nodiscard]] const std::filesystem::path& dir() const { return dir_; }
  /// What was sampled meanwhile.
  [[nodiscard]] SystemLog& system() const { return system_; }

 private:
  void add_plan(const nlohmann::json& event);
  void take_up_journals();

  const std::filesystem::path dir_;
  mutable SystemLog system_;
  mutable std::mutex mutex_;
  std::size_t offset_ = 0;
  std::optional<results::StudyRecord> study_;
  std::unordered_map<std::string, std::shared_ptr<const results::Trial>> trials_;
  std::vector<Happening> happenings_;
};

}  // namespace paribus::uplink
