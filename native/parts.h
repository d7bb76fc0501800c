// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "interpreter.h"
#include "registry/catalog.h"
#include "registry/loader/loader.h"
#include "study/config.h"

namespace paribus::python {

/// The parts at hand in this process: what plugins offer, and what has been loaded of it. Used with
/// the interpreter's lock held, which keeps its threads apart.
class Parts {
 public:
  static Parts& here();

  /// Of the folders where a study without any of its own looks.
  const registry::Catalog& catalog();
  [[nodiscard]] registry::Loader& loader() { return loader_; }

  /// A part as a study would have it at this address: checked, complete. Throws StudyError.
  PartSpec resolved(const std::string& kind, const std::string& address, const py::handle& table);
  void load(const registry::PartSchema& part);
  /// Loads what holds the part and those in its slots.
  void load(const PartSpec& part, const registry::Catalog& catalog);
  /// Both, and makes it.
  std::unique_ptr<Instance> made(const std::string& kind, const std::string& address,
                                 const py::handle& table);

 private:
  std::string path_;  // $PARIBUS_PLUGINS as it was when they were looked for
  std::unique_ptr<registry::Catalog> catalog_;
  registry::Loader loader_;
};

/// What TOML would hold of it. Raises TypeError for what it couldn't.
Config config_of(const py::handle& value);

/// Runs `work` in the name of a part: what LibTorch throws is told as an Error.
template <class Work>
auto told(const std::string& who, const Work& work) {
  try {
    return work();
  } catch (const c10::Error& problem) {
    throw Error(who + ": " + problem.what_without_backtrace());
  }
}

/// What a part offers on its own, as classes of the module.
void add_optimizer(py::module_& module);
void add_scores(py::module_& module);
void add_network(py::module_& module);
void add_data(py::module_& module);
void add_trainer(py::module_& module);

}  // namespace paribus::python
