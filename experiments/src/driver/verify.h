// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/engine.h"
#include "driver/observer.h"
#include "driver/trial.h"
#include "driver/verify_compare.h"
#include "results/study_record.h"

namespace paribus::driver {

/// Something that determines bits and is another than when the trial was recorded.
struct Change {
  std::string what;  // "plugin of optimizer/sgd", "LibTorch"
  std::string recorded, now;
  bool operator==(const Change&) const = default;
};

/// A recorded trial beside another run of it.
struct Verified {
  const Trial* trial = nullptr;
  Outcome outcome;        // of the other run
  Comparison comparison;  // `one` is the record, `other` the run
  journal::Record rerun;  // kept where they differ
  [[nodiscard]] bool identical() const { return outcome.done() && comparison.equal(); }
};

/// Where bits part, looked at in two more runs.
struct Bisection {
  enum class Kind {
    not_deterministic,  // runs here differ from each other: `between` two of them
    elsewhere           // all runs here agree, and the record differs from them
  };
  Kind kind = Kind::elsewhere;
  std::int64_t first = 0, last = 0;  // steps of which every tensor was fingerprinted
  Comparison between;
  std::string problem;  // why a run did not come to its end, if so
};

/// Runs recorded trials again and compares: all points, fingerprints, final metrics and weights,
/// bit by bit. Only reads the study's directory.
class Verification {
 public:
  /// Takes the trials that are done: those `wanted`, by id or its beginning, or all; of these,
  /// spread over the study, at most `sample` (0: all). Finds their files, loads their plugins and
  /// inspects them. Throws Error where it can't.
  Verification(const std::filesystem::path& directory, const std::vector<std::string>& wanted,
               std::size_t sample, Engine& engine, Observer& observer);

  [[nodiscard]] const results::StudyRecord& study() const { return study_; }
  [[nodiscard]] const std::vector<Trial>& trials() const { return trials_; }
  /// In what this machine and its plugins are not those of the record.
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }

  /// Runs all, `at_once` side by side (0: as many as the cores have room for); tells each as it
  /// ends. Throws Interrupted.
  void run(std::size_t at_once, Observer& observer,
           const std::function<void(const Verified&)>& ended);
  /// Runs a trial that differs twice more, as far as it is known to agree and one difference on.
  Bisection bisect(const Verified& verified, std::size_t at_once, Observer& observer);

 private:
  void choose(const std::vector<std::string>& wanted, std::size_t sample);
  void prepare(Trial& trial, Observer& observer);
  void note(const std::string& what, const nlohmann::json& recorded, const nlohmann::json& now);
  void note_machine();
  void note_plugins(const std::set<PartName>& parts);
  void note_data(const Trial& trial);
  [[nodiscard]] std::size_t room(std::size_t at_once) const;

  results::StudyRecord study_;
  Engine& engine_;
  registry::Catalog catalog_;
  std::vector<const results::Trial*> chosen_;
  std::vector<Trial> trials_;
  std::map<std::string, nlohmann::json> facts_;  // by what determines them
  std::vector<Change> changes_;
};

}  // namespace paribus::driver
