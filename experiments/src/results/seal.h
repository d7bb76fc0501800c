// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "results/study_record.h"

namespace paribus::results {

/// Writes `study.dir`/results.h5 from the study and its journals: whole or not at all, and byte for
/// byte the same from the same journals. Its layout: docs/results.md. Returns the file. Throws
/// Error if it can't be written.
std::filesystem::path seal(const StudyRecord& study);

}  // namespace paribus::results
