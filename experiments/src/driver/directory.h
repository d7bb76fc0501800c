// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/handle.h"

namespace paribus::driver {

/// The directory of a study, held by this driver alone while the object lives.
class StudyDirectory {
 public:
  /// Makes it with its folders, or takes it as it is. Throws Error if another driver holds it, or
  /// if it holds other things than a study.
  explicit StudyDirectory(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path journal(const std::string& trial) const;
  [[nodiscard]] std::filesystem::path log(const std::string& trial) const;

  /// The checkpoint of a trial that others begin with.
  [[nodiscard]] std::filesystem::path branch(const std::string& trial, std::int64_t step) const;
  /// Makes it of the checkpoint that the trial has now, if that is of this step.
  void keep_branch(const std::string& trial, std::int64_t step) const;
  /// Removes those of a trial.
  void drop_branches(const std::string& trial) const;
  /// And what it could go on from itself.
  void drop_checkpoints(const std::string& trial) const;

  /// Temp file, fsync, rename; not at all if the file holds this text already.
  void write(const std::string& name, const std::string& text) const;

  /// The event with which a trial's journal ends, if it ends with one.
  [[nodiscard]] std::optional<nlohmann::json> end_of(const std::string& trial) const;
  /// "done", "failed", "stopped", "paused" as that says; "begun" if the journal ends without
  /// saying,
  /// "" if there is none.
  [[nodiscard]] std::string status(const std::string& trial) const;
  /// Removes what there is of a trial, for --fresh.
  void forget(const std::string& trial) const;

  /// Where `study.toml` is kept; resume reads it.
  static constexpr const char* kStudyFile = "study.toml";

 private:
  void drop(const std::string& trial, const std::vector<std::string_view>& prefixes) const;

  std::filesystem::path path_;
  Handle lock_;
};

/// `runs/<name of the file>` in the current folder.
std::filesystem::path default_directory(const std::filesystem::path& study);

}  // namespace paribus::driver
