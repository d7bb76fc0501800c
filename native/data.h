// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "paribus/batches.h"
#include "parts.h"

namespace paribus::python {

/// [data] of a study: the data set, its transforms, how it is batched. Throws StudyError.
TrialSpec data_of(const py::handle& table);

/// The data set of a trial, its files found and read; one for all who want it at a time. Other
/// threads run meanwhile.
std::shared_ptr<Instance> opened(const PartSpec& dataset, const registry::Catalog& catalog);

/// What the model sees, from Python's words for it (views.h has the way there).
DataSpec spec_from(const py::dict& data);

}  // namespace paribus::python
