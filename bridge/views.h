// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>

#include "interpreter.h"
#include "paribus/callback.h"
#include "paribus/schedule.h"
#include "paribus/types.h"

namespace paribus::python {

/// What a callback in Python sees of a training. An object may outlive it: then `fit` is null, and
/// whoever asks gets a RuntimeError.
struct FitView {
  Fit* fit = nullptr;
  const Callback* owner = nullptr;
  mutable std::exception_ptr no_space{};  // of a call that Python must not take for its own error
};

struct BatchView {
  Batch* batch = nullptr;
};

/// Their classes, as those of a module.
void add_views(py::module_& module);

/// Data as paribus.bridge.Data wants it, and back from it: shapes of inputs and targets, mean and
/// std. Throws where their number or a type was changed.
py::dict to_python(const DataSpec& data);
void take_shapes(const py::handle& data, DataSpec& into);

/// {"main": ...} or several by name.
py::object to_python(const Outputs& outputs);
/// Of a tensor, a dict of tensors or a sequence of them (main, "1", "2", ...).
Outputs outputs_from(const py::handle& object, const char* what);

}  // namespace paribus::python
