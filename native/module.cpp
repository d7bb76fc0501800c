// SPDX-License-Identifier: Apache-2.0
// The kernel and the plugins within a program of Python's: paribus._native.
#include <dlfcn.h>

#include "parts.h"
#include "registry/own_program.h"
#include "study/study.h"

namespace paribus::python {
namespace {

/// Plugins and packages lie where the installation that this library belongs to has them.
void take_our_place() {
  Dl_info about{};
  ::dladdr(reinterpret_cast<void*>(&take_our_place), &about);
  const auto library = std::filesystem::absolute(about.dli_fname).lexically_normal();
  const auto prefix = library.parent_path().parent_path().parent_path().parent_path();
  registry::stand_for(prefix / "bin" / "paribus");
}

py::object problem_of(const py::module_& errors, const Diagnostic& it) {
  return errors.attr("Problem")(it.message, it.file, it.file.empty() ? 0 : it.line,
                                it.file.empty() ? 0 : it.column);
}

void raise_study_error(const StudyError& error) {
  const auto errors = py::module_::import("paribus.errors");
  py::list problems;
  for (const Diagnostic& problem : error.problems()) problems.append(problem_of(errors, problem));
  const py::object type = errors.attr("StudyError");
  PyErr_SetObject(type.ptr(), type(problems).ptr());
}

void translate(std::exception_ptr raised) {
  try {
    std::rethrow_exception(raised);
  } catch (const StudyError& error) {
    raise_study_error(error);
  } catch (const Error& error) {
    const py::object type = py::module_::import("paribus.errors").attr("ParibusError");
    PyErr_SetString(type.ptr(), error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_native, module) {
  take_our_place();
  py::register_local_exception_translator(&translate);
  join(module);
  add_optimizer(module);
  add_scores(module);
  add_data(module);
  add_network(module);
  add_trainer(module);
}

}  // namespace paribus::python
