// SPDX-License-Identifier: Apache-2.0
#include "study_here.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstdlib>

#include "driver/engine.h"
#include "driver/python_parts.h"
#include "registry/nearest.h"

namespace paribus::python {
namespace {

/// Parts in Python are described by an interpreter like this one.
class SameInterpreter {
 public:
  SameInterpreter() : is_ours_(std::getenv(kName) == nullptr) {
    const auto program = py::module_::import("sys").attr("executable").cast<std::string>();
    if (is_ours_) ::setenv(kName, program.c_str(), 1);
  }
  ~SameInterpreter() {
    if (is_ours_) ::unsetenv(kName);
  }
  SameInterpreter(const SameInterpreter&) = delete;
  SameInterpreter& operator=(const SameInterpreter&) = delete;

 private:
  static constexpr const char* kName = "PARIBUS_PYTHON";
  bool is_ours_;
};

/// Where the study says that its modules are; behind what this program has.
void find_modules(const Study& study) {
  py::list path = py::module_::import("sys").attr("path");
  for (const auto& folder : study.python) {
    if (!path.contains(folder.string())) path.append(folder.string());
  }
}

void load(const TrialSpec& spec, const registry::Catalog& catalog) {
  for (const auto& [kind, name] : driver::parts_of(spec)) {
    if (const registry::PartSchema* part = catalog.find(kind, name)) Parts::here().load(*part);
  }
}

const PlannedTrial& chosen(const Study& study, const std::optional<std::string>& arm) {
  if (study.adaptive || study.trials.empty())
    throw Error("a search decides which trials this study has: a Trainer trains one that is fixed");
  if (arm && std::find(study.arms.begin(), study.arms.end(), *arm) == study.arms.end())
    throw Error("there is no arm '" + *arm + "'" + registry::did_you_mean(*arm, study.arms));
  const auto found =
      std::find_if(study.trials.begin(), study.trials.end(),
                   [&](const PlannedTrial& trial) { return !arm || trial.arm == *arm; });
  return *found;
}

}  // namespace

TrialHere trial_of(const std::string& study, const std::vector<std::string>& overrides,
                   const std::optional<std::string>& arm, std::optional<std::uint64_t> seed) {
  const SameInterpreter like_this;
  auto catalog =
      registry::Catalog::scan(registry::Catalog::search_path(plugin_folders(study, overrides)));
  catalog.add(std::make_shared<driver::PythonParts>(study, overrides));
  const Study read = load_study(study, overrides, catalog);
  const PlannedTrial& trial = chosen(read, arm);
  TrialHere here{trial.arm, trial.spec(), std::move(catalog)};
  here.spec.seed = seed.value_or(trial.seed);
  find_modules(read);
  load(here.spec, here.catalog);
  return here;
}

}  // namespace paribus::python
