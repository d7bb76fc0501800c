// SPDX-License-Identifier: Apache-2.0
#include "driver/check.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "driver/interrupt.h"
#include "driver/python_parts.h"
#include "driver/search_session.h"
#include "study/spec_json.h"

namespace paribus::driver {

namespace {

using nlohmann::json;

/// Whether an address of a trial is that of a number which changes no shape.
bool is_mere_number(const std::string& address, const Value& value) {
  const bool is_number =
      std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
  return is_number && (address.starts_with("optimizer.") || address.starts_with("schedule."));
}

std::vector<std::string> numbers_of(const PlannedTrial& planned) {
  std::vector<std::string> numbers;
  for (const std::string& address : planned.shape->free) {
    if (is_mere_number(address, planned.values.at(address))) numbers.push_back(address);
  }
  return numbers;
}

/// Equal for trials that differ in seed and such numbers alone.
std::string family_key(const PlannedTrial& planned, const std::vector<std::string>& numbers) {
  std::string key = fmt::format("{}", static_cast<const void*>(planned.shape.get()));
  for (const std::string& address : planned.shape->free) {
    if (std::find(numbers.begin(), numbers.end(), address) != numbers.end()) continue;
    key.append(1, '\n').append(registry::to_json(planned.values.at(address)).dump());
  }
  return key;
}

/// Goes through planned trials and keeps all that is wrong with them.
class Checker {
 public:
  Checker(CheckedStudy& checked, const std::vector<PlannedTrial>& planned, Engine& engine,
          Observer& observer)
      : checked_(checked), planned_(planned), engine_(engine), observer_(observer) {}

  std::vector<Trial> check_all() {
    group();
    find_files();
    throw_if_wrong();
    load_plugins();
    inspect_all();
    throw_if_wrong();
    return name_all();
  }

 private:
  /// Trials that differ in seed and numbers of optimizer and schedules alone, on their way.
  struct Family {
    const PlannedTrial* first = nullptr;
    std::vector<std::string> numbers;  // addresses
    json spec;                         // of the first; "auto" is settled at last
    FilePaths files;
    json facts;
    std::shared_ptr<TrialFamily> made;
    std::optional<FamilyIds> ids;
    std::int64_t epochs = 0;
  };

  void group() {
    std::unordered_map<std::string, std::size_t> known;
    for (const PlannedTrial& planned : planned_) {
      const std::vector<std::string> numbers = numbers_of(planned);
      const auto [number, is_new] =
          known.try_emplace(family_key(planned, numbers), families_.size());
      if (is_new)
        families_.push_back({&planned, numbers, to_json(planned.spec()), {}, {}, {}, {}, 0});
      family_of_.push_back(number->second);
    }
  }

  void find_files() {
    std::map<std::string, std::optional<FilePaths>>
        known;  // by the data set's own part of the spec
    const auto progress = [&](const std::string& name, std::int64_t got, std::int64_t total) {
      observer_.fetching(name, got, total);
    };
    for (Family& family : families_) {
      const auto [entry, is_new] = known.try_emplace(family.spec.at("dataset").dump());
      if (is_new) entry->second = files_of(*family.first, progress);
      family.files = entry->second.value_or(FilePaths{});
    }
  }

  std::optional<FilePaths> files_of(const PlannedTrial& planned, const FetchProgress& progress) {
    const PartSpec dataset = planned.spec().dataset;
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
    for (const Family& family : families_) parts.merge(parts_of(family.first->shape->spec));
    try {
      engine_.machine();
      engine_.load(checked_.catalog, parts);
    } catch (const Refused& refused) {
      const std::string& arm = families_.front().first->arm;
      for (const Problem& problem : refused.problems())
        blame(problem.address, arm, problem.message);
      throw_if_wrong();
    }
    checked_.plugins = engine_.plugins();
    checked_.libparibus = engine_.sha256_of_library("libparibus.so");
  }

  void inspect_all() {
    std::set<std::string> refused;
    for (Family& family : families_) {
      const std::string key = inspection_key(family.spec);
      if (!checked_.facts.contains(key) && !refused.contains(key)) {
        if (const auto facts = inspect(family))
          checked_.facts[key] = *facts;
        else
          refused.insert(key);
      }
      const auto known = checked_.facts.find(key);
      if (known != checked_.facts.end()) family.facts = known->second;
    }
  }

  std::optional<json> inspect(const Family& family) {
    try {
      json reply =
          engine_.worker().call("inspect", {{"spec", family.spec}, {"files", family.files}});
      const auto facts = reply.find("facts");
      if (facts == reply.end() || !facts->is_object())
        throw Error("paribus-worker: its reply to 'inspect' has no facts");
      engine_.open(family.spec, family.files);  // it went well in a fork: from now on all share one
      return *facts;
    } catch (const Refused& refused) {
      for (const Problem& problem : refused.problems())
        blame(problem.address, family.first->arm, problem.message);
      return std::nullopt;
    }
  }

  void settle(Family& family) {
    const TrialSpec spec = family.first->spec();
    family.epochs = spec.train.epochs;
    std::vector<json::json_pointer> places;
    for (const std::string& address : family.numbers) places.push_back(pointer_to(spec, address));
    json settled = resolved(std::move(family.spec), family.facts);
    const json fingerprint = family.facts.value("fingerprint", json());
    json about = environment(spec, settled);
    if (const json files = family.facts.value("files", json()); !files.empty())
      about["files"] = files;
    family.made = std::make_shared<TrialFamily>(std::move(settled), std::move(places));
    family.ids.emplace(*family.made, fingerprint.dump(), about);
    family.made->facts = std::move(family.facts);
    family.made->files = std::move(family.files);
  }

  std::vector<Trial> name_all() {
    for (Family& family : families_) settle(family);
    std::vector<Trial> trials;
    trials.reserve(family_of_.size());
    for (std::size_t i = 0; i < family_of_.size(); ++i) {
      const PlannedTrial& planned = planned_[i];
      const Family& family = families_[family_of_[i]];
      Trial trial;
      trial.arm = planned.arm;
      trial.seed = planned.seed;
      for (const auto& [address, value] : planned.values)
        trial.values[address] = registry::to_json(value);
      for (const std::string& address : family.numbers)
        trial.numbers.push_back(planned.values.at(address));
      trial.family = family.made;
      trial.epochs = family.epochs;
      trial.steps = trial.epochs * trial.facts().value("steps_per_epoch", std::int64_t{0});
      trial.threads = planned.shape->spec.threads;
      trial.id = family.ids->id(trial.numbers, trial.seed);
      trials.push_back(std::move(trial));
    }
    return trials;
  }

  /// What besides its configuration and data determines a trial's numbers. Only its own plugins: a
  /// study that gains an arm keeps the trials that it has.
  json environment(const TrialSpec& parts, const json& spec) {
    json sums = json::object();
    for (const auto& [kind, name] : parts_of(parts)) {
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
  std::vector<Family> families_;
  std::vector<std::size_t> family_of_;  // of each planned trial
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
  engine.demand(demands_of(path, overrides));
  checked.catalog =
      registry::Catalog::scan(registry::Catalog::search_path(plugin_folders(path, overrides)));
  checked.catalog.add(std::make_shared<PythonParts>(path, overrides));
  checked.study = load_study(path, overrides, checked.catalog, engine.proposer(checked.catalog));
  return checked;
}

std::vector<uplink::TrackerRequest> trackers_of(const CheckedStudy& checked, const Engine& engine) {
  std::vector<uplink::TrackerRequest> requests;
  std::vector<Diagnostic> problems;
  for (const TrackerSpec& tracker : checked.study.trackers) {
    const PartSpec& part = tracker.part;
    try {
      const Engine::Vouched from = engine.vouch(checked.catalog, {part.kind, part.use});
      requests.push_back({part, tracker.only, from.plugin, from.symbol, from.sha256, from.sealed});
    } catch (const Refused& refused) {
      for (const Problem& problem : refused.problems())
        problems.push_back(checked.study.place(part.address, "", problem.message));
    }
  }
  if (!problems.empty()) throw StudyError(std::move(problems));
  return requests;
}

CheckedStudy check_study(const std::filesystem::path& path,
                         const std::vector<std::string>& overrides, Engine& engine,
                         Observer& observer) {
  CheckedStudy checked = read_study(path, overrides, engine);
  checked.trackers = trackers_of(checked, engine);
  std::vector<Trial> trials = Checker(checked, checked.study.trials, engine, observer).check_all();
  if (checked.study.adaptive) {
    check_search(checked, engine);
    checked.plugins = engine.plugins();
    return checked;
  }
  checked.trials = std::move(trials);
  checked.shared = shared_of(checked, checked.trials, engine);
  return checked;
}

std::vector<Shared> shared_of(const CheckedStudy& checked, const std::vector<Trial>& trials,
                              Engine& engine) {
  if (!checked.study.share || !may_share(checked.study)) return {};
  return find_shared(trials, checked.catalog, engine);
}

std::vector<Trial> check_more(CheckedStudy& checked, const std::vector<PlannedTrial>& planned,
                              Engine& engine, Observer& observer) {
  return Checker(checked, planned, engine, observer).check_all();
}

}  // namespace paribus::driver
