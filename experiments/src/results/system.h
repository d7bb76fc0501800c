// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "results/hdf5.h"
#include "results/study_record.h"

namespace paribus::results {

/// /system of results.h5, from journal/system.log: a dataset for each series of the machine, and in
/// trials/ID those of each trial of the plan. Nothing where the study has no such file, or it can't
/// be read: `fsck` says so, and the rest of the results stands without it.
void write_system(hid_t file, const StudyRecord& study);

}  // namespace paribus::results
