// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a study's journals say, joined: the plan, how trials ended, what they measured.
namespace paribus::results {

/// `stopped` trials have a journal without an end and no living process, or say so themselves: they
/// can be resumed.
enum class Status : std::uint8_t { planned, running, done, failed, stopped };

std::string_view to_text(Status status);

/// One trial of the plan. What is not known is absent, never zero.
struct Trial {
  std::string id, arm;
  std::int64_t seed = 0;
  std::map<std::string, nlohmann::json> values;  // by swept address
  nlohmann::json spec;
  Status status = Status::planned;
  std::string message;                       // why it failed or stopped
  std::map<std::string, double> last, best;  // by metric; NaN is a measured NaN
  std::optional<double> seconds, epochs;
  std::optional<std::int64_t> steps;
  std::string weights_sha256;
};

struct StudyRecord {
  std::filesystem::path dir;
  std::string name, question;
  std::string metric;  // compared between arms
  std::string goal;    // "maximize", "minimize" or "" where the plan doesn't say
  std::string unit;
  std::string test = "permutation";  // or "t"
  std::string at = "last";           // which value of a metric counts: "last" or "best"
  double alpha = 0.05;
  std::optional<double> margin;   // differences within it do not matter
  std::vector<std::string> arms;  // the first is the baseline
  std::vector<std::string> axes;  // swept addresses
  std::vector<Trial> trials;      // in the plan's order; two arms may share a trial
  nlohmann::json environment;
  std::map<std::string, std::string> units;  // by series, as the trials recorded them
  std::vector<std::string> problems;         // damaged journals, one sentence each
};

/// Reads `dir`/journal; the last plan counts. Throws Error if `dir` isn't a study's directory or
/// its plan is unusable. Damage to a trial's journal costs that trial what stands after it, and is
/// told in `problems`.
StudyRecord read_study(const std::filesystem::path& dir);

/// The path of a trial's journal.
std::filesystem::path journal_path(const std::filesystem::path& dir, std::string_view trial);

/// Every metric that some trial has a last value of, sorted.
std::vector<std::string> metrics(const StudyRecord& study);

}  // namespace paribus::results
