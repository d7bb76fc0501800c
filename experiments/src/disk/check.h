// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace paribus::disk {

/// One file of a study's checkpoints, held against its sum.
struct Finding {
  std::string file;             // below the study's directory
  std::string state = "whole";  // "damaged", "missing", "left over", "removed"
  std::string problem;
  std::int64_t bytes = 0;
  bool is_bad = false;  // training or a result hangs on it
};

/// Reads every checkpoint, tensor and final weights file of a study, but for those of trials that
/// are running. With `repair` what is damaged and can be made again by a resume, and what nobody
/// needs, is removed.
std::vector<Finding> check_checkpoints(const std::filesystem::path& study, bool repair);

}  // namespace paribus::disk
