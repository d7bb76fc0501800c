// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "journal/journal.h"
#include "uplink/batch.h"

namespace paribus::uplink {

/// Where things stand that are delivered of a trial.
enum class Source : std::uint8_t {
  journal,
  system,  // what was sampled of it and of the machine
  output,  // what it printed
};

/// What is about to be delivered: the same again, should this process die.
struct Intent {
  std::uint64_t until = 0;  // bytes; of samples: the time of the last one
  double time = 0;          // of the last point or line
  Source source = Source::journal;
  double started = 0;  // when the trial was, where it isn't the journal that says so
};

/// How far each trial has been delivered to one tracker: an append-only, checksummed file that one
/// process at a time may have open.
class Positions {
 public:
  /// Throws Error if another process has it. `masked` takes secrets out of what trackers keep.
  Positions(const std::filesystem::path& file, std::function<std::string(std::string)> masked);

  /// Of a trial that nothing is known of: the beginning.
  [[nodiscard]] Position of(const std::string& trial) const;
  [[nodiscard]] std::optional<Intent> intent(const std::string& trial) const;
  [[nodiscard]] std::int64_t sent() const { return sent_; }

  /// On file before it returns; it survives the death of this process.
  void intend(const std::string& trial, const Intent& intent);
  void put(const std::string& trial, const Position& position);
  /// Nothing of this trial has been delivered.
  void forget(const std::string& trial);
  /// Nothing at all has.
  void forget_all();
  /// It survives loss of power.
  void sync() { log_->sync(); }

 private:
  struct Known {
    std::string position;  // JSON: a study may have many trials
    std::int64_t sent = 0;
  };
  void load();
  void compact();
  void add(const nlohmann::json& record);

  std::filesystem::path file_;
  std::function<std::string(std::string)> masked_;
  std::unique_ptr<journal::Writer> log_;
  std::unordered_map<std::string, Known> by_trial_;
  std::unordered_map<std::string, Intent> intents_;
  std::int64_t sent_ = 0;
  std::uintmax_t whole_ = 0;  // bytes when it was last compacted
};

}  // namespace paribus::uplink
