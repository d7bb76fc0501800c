// SPDX-License-Identifier: Apache-2.0
#include "driver/check.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "driver/interrupt.h"
#include "driver/search_session.h"
#include "registry/sha256.h"
#include "study/spec_json.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

/// Goes through planned trials and keeps all that is wrong with them.
class Checker {
 public:
  Checker(CheckedStudy& checked, const std::vector<PlannedTrial>& planned, Engine& engine,
          Observer& observer)
      : checked_(checked), planned_(planned), engine_(engine), observer_(observer) {}

  std::vector<Trial> check_all() {
    find_files();
    throw_if_wrong();
    load_plugins();
    inspect_all();
    throw_if_wrong();
    return name_all();
  }

 private:
  void find_files() {
    std::map<std::string, std::optional<FilePaths>>
        known;  // by the data set's own part of the spec
    const auto progress = [&](const std::string& name, std::int64_t got, std::int64_t total) {
      observer_.fetching(name, got, total);
    };
    for (const PlannedTrial& planned : planned_) {
      const std::string key = to_json(planned.spec.dataset).dump();
      const auto [entry, is_new] = known.try_emplace(key);
      if (is_new) entry->second = files_of(planned, progress);
      files_.push_back(entry->second.value_or(FilePaths{}));
    }
  }

  std::optional<FilePaths> files_of(const PlannedTrial& planned, const FetchProgress& progress) {
    const PartSpec& dataset = planned.spec.dataset;
    const registry::PartSchema* schema = checked_.catalog.find("dataset", dataset.use);
    if (schema == nullptr) {
      blame(dataset.address, planned.arm, "no plugin offers dataset/" + dataset.use);
      return std::nullopt;
    }
    try {
      return resolve_files(*schema, dataset, FilePlaces::from_environment(), progress);
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& problem) {
      std::istringstream lines(problem.what());  // one for each file
      for (std::string line; std::getline(lines, line);) blame(dataset.address, planned.arm, line);
      return std::nullopt;
    }
  }

  void load_plugins() {
    std::set<PartName> parts;
    for (const PlannedTrial& planned : planned_) parts.merge(parts_of(planned.spec));
    engine_.machine();
    try {
      engine_.load(checked_.catalog, parts);
    } catch (const Refused& refused) {
      for (const Problem& problem : refused.problems()) blame(problem.address, "", problem.message);
      throw_if_wrong();
    }
    for (const auto& [kind, name] : parts) {
      const std::string file = checked_.catalog.find(kind, name)->plugin.string();
      if (!checked_.plugins.contains(file)) checked_.plugins[file] = registry::sha256_of_file(file);
    }
    checked_.libparibus = engine_.sha256_of_library("libparibus.so");
  }

  void inspect_all() {
    std::set<std::string> refused;
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      const json spec = to_json(planned_[i].spec);
      const std::string key = inspection_key(spec);
      if (!checked_.facts.contains(key) && !refused.contains(key)) {
        if (const auto facts = inspect(planned_[i], spec, files_[i]))
          checked_.facts[key] = *facts;
        else
          refused.insert(key);
      }
      const auto known = checked_.facts.find(key);
      facts_.push_back(known == checked_.facts.end() ? json() : known->second);
    }
  }

  std::optional<json> inspect(const PlannedTrial& planned, const json& spec,
                              const FilePaths& files) {
    try {
      json reply = engine_.worker().call("inspect", {{"spec", spec}, {"files", files}});
      const auto facts = reply.find("facts");
      if (facts == reply.end() || !facts->is_object())
        throw Error("paribus-worker: its reply to 'inspect' has no facts");
      engine_.open(spec, files);  // it went well in a fork: from now on all share one copy
      return *facts;
    } catch (const Refused& refused) {
      for (const Problem& problem : refused.problems())
        blame(problem.address, planned.arm, problem.message);
      return std::nullopt;
    }
  }

  std::vector<Trial> name_all() {
    std::vector<Trial> trials;
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      const PlannedTrial& planned = planned_[i];
      const json& facts = facts_[i];
      Trial trial;
      trial.arm = planned.arm;
      trial.seed = planned.seed;
      for (const auto& [address, value] : planned.values)
        trial.values[address] = registry::to_json(value);
      trial.spec = resolved(to_json(planned.spec), facts);
      trial.facts = facts;
      trial.files = files_[i];
      trial.epochs = planned.spec.train.epochs;
      trial.steps = trial.epochs * facts.value("steps_per_epoch", std::int64_t{0});
      trial.threads = planned.spec.threads;
      const json fingerprint = facts.value("fingerprint", json());
      trial.id = trial_id(trial.spec, fingerprint.dump(), environment(planned, trial.spec));
      trials.push_back(std::move(trial));
    }
    return trials;
  }

  /// What besides its configuration and data determines a trial's numbers. Only its own plugins: a
  /// study that gains an arm keeps the trials that it has.
  json environment(const PlannedTrial& planned, const json& spec) {
    json sums = json::object();
    for (const auto& [kind, name] : parts_of(planned.spec)) {
      sums[kind + "/" + name] =
          checked_.plugins.at(checked_.catalog.find(kind, name)->plugin.string());
    }
    const json& machine = engine_.machine();
    json about = {{"plugins", sums},
                  {"libparibus", checked_.libparibus},
                  {"libtorch", machine.value("libtorch", json())},
                  {"cpu_capability", machine.value("cpu_capability", json())}};
    if (spec.at("train").at("device") != json("cpu"))
      about["devices"] = machine.value("devices", json());
    return about;
  }

  void blame(const std::string& address, const std::string& arm, const std::string& message) {
    problems_.push_back(checked_.study.place(address, arm, message));
  }

  void throw_if_wrong() {
    if (!problems_.empty()) throw StudyError(std::move(problems_));
  }

  CheckedStudy& checked_;
  const std::vector<PlannedTrial>& planned_;
  Engine& engine_;
  Observer& observer_;
  std::vector<FilePaths> files_;  // of each planned trial
  std::vector<json> facts_;
  std::vector<Diagnostic> problems_;
};

/// Without a look at the trials: where nothing that may differ late differs at all.
bool may_share(const Study& study) {
  const auto is_late = [](const std::string& address) {
    return address.starts_with("schedule.") || address == "train.epochs";
  };
  return study.is_sweep ? std::any_of(study.swept.begin(), study.swept.end(), is_late)
                        : study.arms.size() > 1;
}

}  // namespace

CheckedStudy read_study(const std::filesystem::path& path,
                        const std::vector<std::string>& overrides, Engine& engine) {
  CheckedStudy checked;
  checked.catalog =
      registry::Catalog::scan(registry::Catalog::search_path(plugin_folders(path, overrides)));
  checked.study = load_study(path, overrides, checked.catalog, engine.proposer(checked.catalog));
  return checked;
}

CheckedStudy check_study(const std::filesystem::path& path,
                         const std::vector<std::string>& overrides, Engine& engine,
                         Observer& observer) {
  CheckedStudy checked = read_study(path, overrides, engine);
  std::vector<Trial> trials = Checker(checked, checked.study.trials, engine, observer).check_all();
  if (checked.study.adaptive) {
    check_search(checked, engine);
    return checked;
  }
  checked.trials = std::move(trials);
  if (checked.study.share && may_share(checked.study))
    checked.shared = find_shared(checked.trials, checked.catalog, engine);
  return checked;
}

std::vector<Trial> check_more(CheckedStudy& checked, const std::vector<PlannedTrial>& planned,
                              Engine& engine, Observer& observer) {
  return Checker(checked, planned, engine, observer).check_all();
}

}  // namespace paribus::driver
