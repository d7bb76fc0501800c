// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "paribus/spec.h"

namespace paribus::worker {

/// An error's text with the address in front of what a part says of itself as `kind/name: ...`, so
/// that it can be shown where the study names that part.
std::string with_address(const TrialSpec& spec, const std::string& text);

/// Takes out of `spec` what an error at `address` is about, where the rest can be tried without
/// it. False where it can't: there is no trial without data, model or loss.
bool leave_out(TrialSpec& spec, const std::string& address);

}  // namespace paribus::worker
