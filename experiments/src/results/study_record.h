// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "study/design.h"

/// What a study's journals say, joined: the plan, how trials ended, what they measured.
namespace paribus::results {

/// `stopped` trials have a journal without an end and no living process, or say so themselves: they
/// can be resumed. `pruned` ones were paused by their search, which may yet go on with them; their
/// values are those of their last epoch.
enum class Status : std::uint8_t { planned, running, done, failed, stopped, pruned };

inline constexpr Status kStatuses[] = {Status::planned, Status::running, Status::done,
                                       Status::failed,  Status::stopped, Status::pruned};

std::string_view to_text(Status status);

/// One arm, or one point of a sweep, as the plan has it; its trials share it.
struct Variant {
  std::string arm;
  std::map<std::string, nlohmann::json> values;  // by swept address
  std::optional<double> steps_per_epoch, epochs;
  std::shared_ptr<const nlohmann::json> first;  // the configuration of the plan's first variant
  std::string patch;                            // RFC 6902, from that one's; "" changes nothing

  /// The resolved configuration with a seed; null where the plan has none. Throws Error if the
  /// patch is unusable.
  [[nodiscard]] nlohmann::json spec(std::int64_t seed) const;
};

/// What a trial came to. What is not known is absent, never zero.
struct Outcome {
  Status status = Status::planned;
  std::string message;                       // why it failed or stopped
  std::map<std::string, double> last, best;  // by metric; NaN is a measured NaN
  std::optional<double> seconds, epochs;
  std::optional<std::int64_t> steps;
  std::string weights_sha256;
};

/// One trial of the plan.
struct Trial : Outcome {
  std::string id, arm;
  std::int64_t seed = 0;
  std::map<std::string, nlohmann::json> values;  // by swept address
  std::shared_ptr<const Variant> variant;        // null only where somebody made the trial by hand
  std::string problem;                           // of its journal
  /// From what its outcome is known: the driver's log, which stays true, or the state in which its
  /// journal was (kNoJournal, kBeingWritten or its `journal_mark`).
  std::int64_t learned = kNoJournal;
  static constexpr std::int64_t kFromLog = 0, kNoJournal = 1, kBeingWritten = 2;

  [[nodiscard]] nlohmann::json spec() const {
    return variant ? variant->spec(seed) : nlohmann::json();
  }
};

/// What a study asks.
struct StudyHead {
  std::filesystem::path dir;
  std::string name, question;
  std::string metric;  // compared between arms
  std::string goal;    // "maximize", "minimize" or "" where the plan doesn't say
  std::string unit;
  std::string test = "permutation";  // or "t"
  std::string at = "last";           // which value of a metric counts: "last" or "best"
  double alpha = 0.05;
  std::optional<double> margin;   // differences within it do not matter
  std::string price;              // of an hour of the machine, e.g. "0.90 USD"; "" is not known
  std::int64_t disk = 0;          // bytes that the directory may hold; 0: no limit
  std::vector<std::string> axes;  // swept addresses
  std::string log_problem;        // of journal/study.log
};

struct StudyRecord : StudyHead {
  std::vector<std::string> arms;  // the first is the baseline
  Design design;                  // of the arms, where they combine factors
  std::optional<double> busy;     // seconds in which at least one trial ran
  bool until_decided = false;     // seeds were bought one by one until the question was decided
  std::vector<std::shared_ptr<const Variant>> variants;
  std::vector<Trial> trials;  // in the plan's order; two arms may share a trial
  nlohmann::json environment;
  std::map<std::string, std::string> units;  // by series, as the trials recorded them
  std::vector<std::string> problems;         // damaged journals, one sentence each
};

/// How far study.log was read: its length and the CRC-32C of that.
struct StudyLog {
  std::uint64_t offset = 0;
  std::uint32_t sum = 0;
};

/// Reads `dir`/journal; the last plan counts. Throws Error if `dir` isn't a study's directory or
/// its plan is unusable. Damage to a trial's journal costs that trial what stands after it, and is
/// told in `problems`.
StudyRecord read_study(const std::filesystem::path& dir, StudyLog* log = nullptr);

/// The same without a look at the trials' journals: all are `planned`.
StudyRecord read_study_plan(const std::filesystem::path& dir);

/// The path of a trial's journal.
std::filesystem::path journal_path(const std::filesystem::path& dir, std::string_view trial);

/// Where the stacks of a trial that crashed or hung are: there is such a file, or they are not.
std::filesystem::path stack_path(const std::filesystem::path& dir, std::string_view trial);

/// Every metric that some trial has a last value of, sorted.
std::vector<std::string> metrics(const StudyRecord& study);

}  // namespace paribus::results
