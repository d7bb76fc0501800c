// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "paribus/error.h"
#include "paribus/spec.h"
#include "registry/catalog.h"
#include "study/design.h"

namespace paribus {

/// One problem and its place. `line` and `column` count from 1; `line` is 0 where the place isn't
/// in a file (then `file` is "-s key=value", "default" or the study's path).
struct Diagnostic {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;

  [[nodiscard]] std::string text() const;  // "file:line:col: message"
  bool operator==(const Diagnostic&) const = default;
};

/// All that is wrong with a study, at once. `what()` has one diagnostic a line.
class StudyError : public Error {
 public:
  /// Sorts by place and drops repetitions. REQUIRES: at least one problem.
  explicit StudyError(std::vector<Diagnostic> problems);
  [[nodiscard]] const std::vector<Diagnostic>& problems() const { return problems_; }

 private:
  std::vector<Diagnostic> problems_;
};

/// One axis of a sweep as the search part sees it; the same fields as paribus/search.h, without
/// LibTorch.
struct SearchAxis {
  std::vector<std::string> addresses;
  std::int64_t count = 0;    // values in the list; 0: a range only
  double low = 0, high = 0;  // of the range; a list of numbers gives its least and greatest
  bool log = false;
  bool integer = false;
};

/// Index into the axis's list where it is >= 0, else the value in its range.
struct SearchChoice {
  std::int64_t index = -1;
  double value = 0;
};
using SearchPoint = std::vector<SearchChoice>;  // one for each axis

/// Asks a search part which points to try. Throws Error with the part's words where it can't. A
/// study without a sweep never calls it. An empty Proposer means: the grid is made here, any other
/// search is an error.
using Proposer = std::function<std::vector<SearchPoint>(
    const PartSpec& part, const std::vector<SearchAxis>& axes, std::uint64_t seed)>;

/// A configuration that trials share but for their seeds and the values at some swept addresses:
/// a study of 100,000 trials has few of them.
struct TrialShape {
  TrialSpec spec;                 // of one of them
  std::vector<std::string> free;  // where each has its own value
};

/// One arm (or one point of a sweep) with one seed, complete and checked against the manifests.
struct PlannedTrial {
  std::string arm;  // of a sweep: "optimizer.momentum=0.9, ..."; "base" where there is neither
  std::uint64_t seed = 0;
  std::map<std::string, Value> values;  // swept addresses
  std::shared_ptr<const TrialShape> shape;

  /// Made anew by each call.
  [[nodiscard]] TrialSpec spec() const;
};

/// A part that watches from outside the trials (kind `tracker`). No trial's id depends on it.
struct TrackerSpec {
  PartSpec part;
  std::vector<std::string> only;  // patterns of the metrics that it gets; empty: all
};

class AdaptiveSweep;  // a search that looks at results (study/adaptive.h)
struct Provenance;    // where each value of each arm was written

/// The keys of [study] with one value each. `seeds`, `threads`, `plugins` and `trust` stand in the
/// same table of keys but are read by hand. What follows `max_seeds` changes no number.
struct StudySettings {
  std::string name, question;
  std::string metric;         // compared between arms; settled once a trial is known
  std::string goal;           // "maximize" or "minimize"
  std::string at = "last";    // or "best": which epoch's value counts
  std::string test = "auto";  // or "permutation", "t"
  double alpha = 0.05;
  double margin = 0;            // smallest difference of interest; 0: no verdict on equivalence
  std::int64_t max_seeds = 30;  // where seeds = "until decided"
  std::int64_t retries = 1;     // of a trial whose process was killed, crashed or hung
  std::string time_limit, hang_limit = "10min", memory_limit, disk;  // as written; see Limits
  std::string keep = "final";                                        // or "all", "none"
  bool share = true;
  bool confine = false;  // trials write to the study's directory alone, and have no network
  std::string tracker_wait = "20s";  // as written
  std::string price;                 // as written
  std::int64_t system = 15;          // seconds between samples of what is used; 0: none
};

/// What trials and the study's directory may take; 0: no limit.
struct Limits {
  double time = 0, hang = 0;          // seconds, of a trial
  std::int64_t memory = 0, disk = 0;  // bytes, of a trial and of the directory
  double trackers = 0;                // seconds that a run waits for them at its end
};

/// A study, expanded. Loading runs nothing but, through the Proposer, the search part.
struct Study : StudySettings {
  std::filesystem::path path;
  Limits limits;
  std::int64_t threads = 1;          // of each trial
  std::vector<std::uint64_t> seeds;  // where `until_decided`: those to begin with, 0 to n - 1
  bool until_decided = false;        // more are bought, up to max_seeds, until the question is
  std::vector<std::string> arms;     // in order, the baseline first; of a sweep: its points
  Design design;                     // of the arms, where [ablate] combines factors
  bool is_sweep = false;
  std::vector<std::string> swept;              // addresses, in order
  std::vector<std::filesystem::path> plugins;  // [study] plugins, made absolute
  std::vector<std::filesystem::path> python;   // where Python parts are looked for, if it has any
  std::optional<std::vector<std::string>> trust;  // keys, as written
  std::vector<TrackerSpec> trackers;
  /// Arms in order; of each arm its seeds in order. Where `adaptive` is set these are probes, to be
  /// checked and not run.
  std::vector<PlannedTrial> trials;
  std::shared_ptr<const AdaptiveSweep> adaptive;
  std::string resolved;  // a TOML study that gives the same trials, each value with a comment where
                         // it came from

  /// The place that speaks of `address` in an arm (or of its nearest part that is written
  /// anywhere): a worker's problem becomes a Diagnostic.
  [[nodiscard]] Diagnostic place(const std::string& address, const std::string& arm,
                                 const std::string& message) const;

  std::shared_ptr<const Provenance> provenance;
};

/// What a study is called unless it says so: as its file, or, of a file study.toml, as its folder.
std::string study_name(const std::filesystem::path& path);

/// What a study asks of the plugin path, made absolute. To be called before the catalog is scanned.
/// Throws StudyError.
std::vector<std::filesystem::path> plugin_folders(const std::filesystem::path& path,
                                                  const std::vector<std::string>& overrides);

/// Where its Python parts are looked for first: what it asks for, or the folder of its file.
std::vector<std::filesystem::path> python_folders(const std::filesystem::path& path,
                                                  const std::vector<std::string>& overrides);

/// Reads, merges, expands and checks a study. `overrides` are the texts behind -s: `key=value`.
/// Throws StudyError with everything that is wrong.
Study load_study(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                 const registry::Catalog& catalog, const Proposer& propose = {});

}  // namespace paribus
