// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

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

  /// Temp file, fsync, rename; not at all if the file holds this text already.
  void write(const std::string& name, const std::string& text) const;

  /// "done", "failed", "stopped" as the trial's journal ends; "begun" if it ends without saying, ""
  /// if there is none.
  [[nodiscard]] std::string status(const std::string& trial) const;
  /// Removes what there is of a trial, for --fresh.
  void forget(const std::string& trial) const;

  /// Where `study.toml` is kept; resume reads it.
  static constexpr const char* kStudyFile = "study.toml";

 private:
  std::filesystem::path path_;
  Handle lock_;
};

/// `runs/<name of the file>` in the current folder.
std::filesystem::path default_directory(const std::filesystem::path& study);

}  // namespace paribus::driver
