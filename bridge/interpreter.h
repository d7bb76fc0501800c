// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "paribus/error.h"

namespace paribus::python {

namespace py = pybind11;

/// Which interpreter, and where it looks for modules: what the driver saw when it read the parts.
struct Setting {
  std::string program;            // .../bin/python3
  std::string package;            // the folder that holds our own package
  std::vector<std::string> path;  // its sys.path then, the study's folders first
};

/// To be called before the first Lock; later calls change nothing.
void use(const Setting& setting);

/// Starts the interpreter and imports torch, once: trials that fork later share it. No module of a
/// user is imported. Throws Error.
void start();

/// Within a program of Python's own, in the place of both: the interpreter stays as it is, the
/// views go into `module`. REQUIRES: its lock is held, its torch is ours.
void join(py::module_& module);

/// Whether this is a program of Python's own.
bool is_guest();

/// Holds the interpreter for this thread, starting it if need be. In a fork it becomes the fork's
/// own at the first Lock, which must be the forking thread's.
class Lock {
 public:
  Lock();
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  PyGILState_STATE state_;
};

/// paribus.bridge, our side in Python. REQUIRES: a Lock is held.
py::module_& ours();

/// What Python raised as an Error, `who` first; its whole stack goes to stderr.
[[noreturn]] void rethrow(const std::string& who, py::error_already_set& raised);

/// Runs `work` under a Lock; what Python raises becomes an Error in the name of `who`.
template <class Work>
auto locked(const std::string& who, const Work& work) {
  const Lock lock;
  try {
    return work();
  } catch (py::error_already_set& raised) {
    rethrow(who, raised);
  } catch (const py::builtin_exception& problem) {  // what our own side would raise
    throw Error(who + ": " + problem.what());
  }
}

/// The very tensor, on either side. REQUIRES: a Lock is held.
py::object wrap(const at::Tensor& tensor);
/// Raises TypeError where it is no tensor: "`what` is a float, expected a tensor".
at::Tensor unwrap(const py::handle& object, const char* what);

}  // namespace paribus::python
