// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "complete_answer.h"
#include "complete_asked.h"

namespace paribus {

/// All that may stand where something is asked for, of which the shell shows what fits.
Answer answer(const CLI::App& app, const Asked& asked);

}  // namespace paribus
