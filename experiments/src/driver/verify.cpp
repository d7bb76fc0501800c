// SPDX-License-Identifier: Apache-2.0
#include "driver/verify.h"

#include <fmt/core.h>

#include <algorithm>

#include "driver/directory.h"
#include "driver/provenance.h"
#include "driver/python_parts.h"
#include "driver/verify_rerun.h"
#include "paribus/error.h"
#include "study/spec_json.h"

namespace paribus::driver {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kFullBytes = 64u << 20;  // of fingerprints of whole tensors in a journal

std::string shown(const json& value) {
  if (value.is_null()) return "none";
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  const bool is_sum =
      text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_sum ? text.substr(0, 12) + "..." : text;
}

json at(const json& object, const char* outer, const char* inner) {
  const json table = object.is_object() ? object.value(outer, json()) : json();
  return table.is_object() ? table.value(inner, json()) : json();
}

/// The sum that the record has of the plugin that offered a part; null if it names none.
json recorded_sum(const json& environment, const std::string& part) {
  for (const json& plugin : environment.value("plugins", json::array())) {
    const json parts = plugin.value("parts", json::array());
    if (std::find(parts.begin(), parts.end(), part) != parts.end())
      return plugin.value("sha256", json());
  }
  return nullptr;
}

Trial as_recorded(const results::Trial& recorded) {
  Trial trial;
  trial.id = recorded.id;
  trial.arm = recorded.arm;
  trial.family = std::make_shared<TrialFamily>(recorded.spec());
  const TrialSpec spec = trial_spec_from_json(recorded.spec());
  trial.seed = spec.seed;
  for (const auto& [address, value] : recorded.values) trial.values[address] = value;
  trial.epochs = spec.train.epochs;
  trial.threads = spec.threads;
  trial.steps = recorded.steps.value_or(0);
  return trial;
}

const results::Trial& wanted_trial(const results::StudyRecord& study, const std::string& name) {
  const results::Trial* found = nullptr;
  for (const results::Trial& trial : study.trials) {
    if (!trial.id.starts_with(name) || (found != nullptr && found->id == trial.id)) continue;
    if (found != nullptr)
      throw Error(fmt::format("'{}' begins more than one trial's id, {} and {}", name, found->id,
                              trial.id));
    found = &trial;
  }
  if (found == nullptr || name.empty())
    throw Error(fmt::format("{} has no trial '{}'; paribus results {} lists them",
                            study.dir.string(), name, study.dir.string()));
  if (found->status != results::Status::done)
    throw Error(fmt::format("trial {} is {}; only one that is done can be verified", found->id,
                            results::to_text(found->status)));
  return *found;
}

}  // namespace

Verification::Verification(const fs::path& directory, const std::vector<std::string>& wanted,
                           std::size_t sample, Engine& engine, Observer& observer)
    : study_(results::read_study(directory)), engine_(engine) {
  for (const std::string& problem : study_.problems) observer.note(problem);
  catalog_ = registry::Catalog::scan(
      registry::Catalog::search_path(plugin_folders(directory / StudyDirectory::kStudyFile, {})));
  catalog_.add(std::make_shared<PythonParts>(directory / StudyDirectory::kStudyFile));
  engine_.demand(demands_of(directory / StudyDirectory::kStudyFile, {}));
  choose(wanted, sample);
  std::set<PartName> parts;
  for (const results::Trial* recorded : chosen_) {
    trials_.push_back(as_recorded(*recorded));
    parts.merge(parts_of(trial_spec_from_json(trials_.back().spec())));
  }
  engine_.machine();
  engine_.load(catalog_, parts);
  note_machine();
  note_plugins(parts);
  for (Trial& trial : trials_) prepare(trial, observer);
}

void Verification::choose(const std::vector<std::string>& wanted, std::size_t sample) {
  std::set<std::string> seen;
  const auto add = [&](const results::Trial& trial) {
    if (seen.insert(trial.id).second) chosen_.push_back(&trial);
  };
  for (const std::string& name : wanted) add(wanted_trial(study_, name));
  for (const results::Trial& trial : study_.trials) {
    if (wanted.empty() && trial.status == results::Status::done) add(trial);
  }
  if (chosen_.empty())
    throw Error(fmt::format("{} has no trial that is done: there is nothing to verify",
                            study_.dir.string()));
  if (sample == 0 || sample >= chosen_.size()) return;
  std::vector<const results::Trial*> some;
  for (std::size_t i = 0; i < sample; ++i) some.push_back(chosen_[i * chosen_.size() / sample]);
  chosen_ = std::move(some);
}

/// Finds the trial's files and what they and its parts are today.
void Verification::prepare(Trial& trial, Observer& observer) {
  const json spec = trial.spec();
  const PartSpec dataset = part_spec_from_json(spec.at("dataset"));
  auto family = std::make_shared<TrialFamily>(spec);
  family->files =
      resolve_files(*catalog_.find("dataset", dataset.use), dataset, FilePlaces::from_environment(),
                    [&](const std::string& name, std::int64_t got, std::int64_t total) {
                      observer.fetching(name, got, total);
                    });
  const std::string key = inspection_key(spec) + json(family->files).dump();
  json& facts = facts_[key];
  if (facts.is_null()) {
    const json request = {{"spec", spec}, {"files", family->files}};
    facts = engine_.worker().call("inspect", request).at("facts");
    engine_.open(spec, family->files);
  }
  family->facts = facts;
  trial.family = std::move(family);
  note_data(trial);
}

void Verification::note(const std::string& what, const json& recorded, const json& now) {
  if (recorded == now || recorded.is_null()) return;
  const Change change{what, shown(recorded), shown(now)};
  if (std::find(changes_.begin(), changes_.end(), change) == changes_.end())
    changes_.push_back(change);
}

void Verification::note_machine() {
  const json& environment = study_.environment;
  const json& machine = engine_.machine();
  if (!environment.is_object()) return;
  note("LibTorch", environment.value("libtorch", json()), machine.value("libtorch", json()));
  note("libparibus", at(environment, "libparibus", "sha256"),
       engine_.sha256_of_library("libparibus.so"));
  note("what LibTorch uses of the CPU", at(environment, "cpu", "capability"),
       machine.value("cpu_capability", json()));
  note("CPU", at(environment, "cpu", "model"), cpu_model());
  const bool on_cpu = std::all_of(trials_.begin(), trials_.end(), [](const Trial& trial) {
    return at(trial.spec(), "train", "device") == json("cpu");
  });
  if (!on_cpu)
    note("devices", environment.value("devices", json()), machine.value("devices", json()));
}

void Verification::note_plugins(const std::set<PartName>& parts) {
  if (!study_.environment.is_object()) return;
  for (const auto& [kind, name] : parts) {
    const std::string part = kind + "/" + name;
    note("plugin of " + part, recorded_sum(study_.environment, part),
         engine_.plugins().at(catalog_.find(kind, name)->plugin.string()));
  }
}

void Verification::note_data(const Trial& trial) {
  const journal::Record record = journal::read(results::journal_path(study_.dir, trial.id));
  const json* start = record.last("start");
  if (start == nullptr) return;
  note("data of dataset/" + at(trial.spec(), "dataset", "use").get<std::string>(),
       at(*start, "facts", "fingerprint"), trial.facts().value("fingerprint", json()));
  const json now = trial.facts().value("files", json::object());
  const json then = at(*start, "facts", "files");
  for (const auto& [address, sum] : then.items())
    note("file of " + address, sum, now.value(address, json("no longer there")));
}

std::size_t Verification::room(std::size_t at_once) const {
  if (at_once > 0) return std::min<std::size_t>(at_once, kProgressSlots);
  std::int64_t threads = 1;
  for (const Trial& trial : trials_) threads = std::max(threads, trial.threads);
  const auto cores = engine_.machine().value("cores", std::int64_t{1});
  return static_cast<std::size_t>(std::max<std::int64_t>(1, cores / threads));
}

namespace {

void announce(const Trial& trial, Observer& observer) {
  Work work;
  work.trial = trial;
  observer.planned(work);
}

}  // namespace

void Verification::run(std::size_t at_once, Observer& observer,
                       const std::function<void(const Verified&)>& ended) {
  std::vector<Rerun> runs;
  observer.begin({trials_.size(), 0, false, study_.metric});
  for (const Trial& trial : trials_) {
    runs.push_back({.trial = &trial, .suffix = ""});
    announce(trial, observer);
  }
  Rerunner rerunner(engine_, observer, study_.metric);
  rerunner.run(runs, room(at_once),
               [&](const Rerun& run, const Outcome& outcome, const journal::Record& rerun) {
                 Verified verified{run.trial, outcome, {}, {}};
                 verified.comparison = compare(
                     journal::read(results::journal_path(study_.dir, run.trial->id)), rerun);
                 if (!verified.identical()) verified.rerun = rerun;
                 ended(verified);
               });
  observer.finish();
}

Bisection Verification::bisect(const Verified& verified, std::size_t at_once, Observer& observer) {
  const Comparison& known = verified.comparison;
  const auto differs = known.first_step();
  Bisection found;
  found.last = differs.value_or(verified.trial->steps);
  // Chance need not strike twice at one step, so all of them where that is cheap.
  const std::size_t bytes =
      static_cast<std::size_t>(found.last) * known.tensors_in_all * sizeof(std::uint32_t);
  found.first = bytes <= kFullBytes ? 1 : std::min(known.last_equal_full + 1, found.last);
  std::vector<Trial> twice(2, *verified.trial);
  std::vector<Rerun> runs;
  for (Trial& trial : twice) {
    trial.steps = found.last;
    runs.push_back({.trial = &trial,
                    .suffix = runs.empty() ? "-a" : "-b",
                    .first_full = found.first,
                    .last_full = found.last,
                    .stops = differs.has_value()});
  }
  std::vector<journal::Record> records;
  observer.begin({runs.size(), 0, false, study_.metric});
  for (const Trial& trial : twice) announce(trial, observer);
  Rerunner(engine_, observer, study_.metric)
      .run(runs, room(at_once),
           [&](const Rerun& /*run*/, const Outcome& outcome, journal::Record record) {
             if (!outcome.done() && !outcome.stopped() && outcome.code != verified.outcome.code)
               found.problem = outcome.message;
             records.push_back(std::move(record));
           });
  observer.finish();
  const auto until = differs.value_or(std::numeric_limits<std::int64_t>::max());
  found.between = compare(records[0], records[1], until);
  if (found.between.equal()) found.between = compare(verified.rerun, records[0], until);
  found.kind =
      found.between.equal() ? Bisection::Kind::elsewhere : Bisection::Kind::not_deterministic;
  return found;
}

}  // namespace paribus::driver
