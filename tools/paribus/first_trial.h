// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace paribus {

/// A study as the commands name it that look at its first trial: the baseline with its first seed.
struct FirstTrial {
  std::filesystem::path study;
  std::vector<std::string> overrides;

  /// `STUDY.toml` and `-s`.
  void add_options(CLI::App& command);
  /// Checks the study, and has the worker do `what`: its reply, with the trial's `label`. None
  /// where it refused, which stderr tells then.
  [[nodiscard]] std::optional<nlohmann::json> ask(const std::string& what,
                                                  const nlohmann::json& options, bool quiet) const;
};

}  // namespace paribus
