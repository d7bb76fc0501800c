// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "paribus/callback.h"

namespace paribus {

/// The order in which callbacks run: who writes a thing before who reads it, else by address, so
/// that the order in the study file changes nothing. Throws Error naming the two that clash.
std::vector<Callback*> ordered(std::vector<Callback*> callbacks);

}  // namespace paribus
